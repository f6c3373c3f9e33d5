"""Schedules and plans that are built here."""

import numpy as np
import pytest
from conftest import path

import brownian
from brownian import plans, schedules


def of_run(model):
    """The schedule that a model was trained on."""
    run = model.provenance["run"]
    alpha_bar = getattr(schedules, run["schedule"])(run["timesteps"])
    return schedules.rescale_to_zero_terminal_snr(alpha_bar) if run["zero_terminal_snr"] else alpha_bar


@pytest.mark.parametrize("name", ["digits28", "odd"])
def test_built_plans_are_those_of_the_file(name):
    model = brownian.load(path(name))
    specs = model.provenance["plans"]
    assert len(specs) >= 3
    for spec in specs:
        built = plans.build(spec, of_run(model), model.provenance["run"]["prediction"])
        found = model.plans[built.name]
        assert (built.clip, len(built)) == (found.clip, len(found))
        for field in plans.STEP.names:
            # Rows of time biases are a model's.
            if field != "time_row":
                assert np.array_equal(built.steps[field], found.steps[field]), (spec, field)


def test_bit_plans(bits):
    run = bits.provenance["run"]
    built = plans.build_bits("bits5=bits:5", schedules.evenly_kept(run["timesteps"]), 0.25)
    found = bits.plans["bits5"]
    for field in ("timestep", "own_logit", "u", "v", "level"):
        assert np.array_equal(built.steps[field], found.steps[field]), field


def test_schedules_have_their_published_values():
    linear = schedules.linear(1000)
    assert linear.shape == (1000,) and linear.dtype == np.float64
    betas = np.linspace(1e-4, 0.02, 1000)
    assert np.allclose(linear, np.cumprod(1 - betas), rtol=1e-12)
    assert np.allclose(schedules.linear(100), np.cumprod(1 - np.linspace(1e-3, 0.2, 100)), rtol=1e-12)
    t = np.arange(1001) / 1000
    f = np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
    assert np.allclose(schedules.cosine(1000)[:990], (f / f[0])[1:991], rtol=1e-9)
    sigma = np.sqrt(1 / schedules.geometric(2.0, 0.02, 10) - 1)
    assert np.allclose(sigma, np.geomspace(0.02, 2, 10), rtol=1e-9)
    assert schedules.rescale_to_zero_terminal_snr(linear)[-1] == 0
    assert (np.diff(schedules.sigmoid(50)) < 0).all()
    assert schedules.evenly_kept(4).tolist() == [0.75, 0.5, 0.25, 0]


def test_the_fast_schedule_lies_between_timesteps():
    bar = schedules.linear(50, 1e-4, 0.05)
    times = plans.times("diffwave:fast6", bar)
    assert np.allclose(times, [43.92, 23.99, 11.45, 5.09, 1.89, 1], atol=0.006)
    plan = plans.build("ddim:fast6:start=noise", bar, "epsilon")
    assert plan.name == "ddim:fast6" and np.array_equal(plan.timesteps, np.rint(times))
    betas = [1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5]
    assert plan.start_deviation == pytest.approx(np.sqrt(1 - np.prod(1 - np.array(betas))))
    assert plans.build("ddim:fast6", bar, "epsilon").start_deviation == 1
    with pytest.raises(brownian.Error, match="lead to alpha_bar"):
        plans.times("dpm:0.5,0.9", bar)


def test_a_ddim_step_is_its_equation():
    bar = schedules.cosine(100)
    step = plans.build("ddim:10", bar, "epsilon").steps[3]
    now, then = bar[step["timestep"] - 1], bar[step["timestep"] - 11]
    a = np.sqrt((1 - then) / (1 - now))
    assert np.isclose(step["k_x"], 1 / np.sqrt(now)) and np.isclose(step["k_eps"], -np.sqrt(1 / now - 1))
    assert np.isclose(step["a"], a) and np.isclose(step["b"], np.sqrt(then) - a * np.sqrt(now), atol=1e-6)
    assert step["sigma"] == 0


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: plans.build("euler:10", schedules.cosine(100)), 'there is no method "euler"'),
        (lambda: plans.build("ddim:101", schedules.cosine(100)), "101 steps do not fit 100 timesteps"),
        (lambda: plans.build("bits:10", schedules.cosine(100)), "bits is of the binomial process"),
        (lambda: plans.build("ddim:10", schedules.cosine(100), "noise"), "give epsilon, v or x0"),
        (lambda: plans.build("ddim:10", [0.5, 0.6, 0.7] * 10), "alpha_bar does not fall"),
        (lambda: plans.build("ddim:1", np.ones((2, 2))), "alpha_bar has shape (2, 2)"),
        (lambda: plans.build("ddpm:5:variance=learned", schedules.cosine(100)), "its variance is learned"),
        (lambda: plans.build_bits("ddim:5", schedules.evenly_kept(20)), "ddim is of the Gaussian process"),
        (lambda: schedules.cosine(0), "0 timesteps: give 1 to 1000000"),
        (lambda: schedules.linear(-1), "-1 timesteps: give 1 to 1000000"),
        (lambda: schedules.linear(10, float("nan"), 0.1), "give β between 0 and 1"),
        (lambda: schedules.linear(10, -1, 5), "linear from -1.0 to 5.0: ᾱ_t is no share that falls with t"),
        (lambda: schedules.geometric(1, 0, 5), "give levels above 0, the highest first"),
        (lambda: schedules.geometric(0.1, 10, 5), "give levels above 0, the highest first"),
        (lambda: schedules.sigmoid(10, tau=0), "tau above 0"),
        (lambda: schedules.rescale_to_zero_terminal_snr([0.5, -1]), "alpha_bar: ᾱ_t is no share"),
        (lambda: plans.build_bits("bits:5", schedules.evenly_kept(20), mean=2), "mean 2: give the probability of a 1"),
    ],
)
def test_what_cannot_be_built_says_why(build, words):
    with pytest.raises(brownian.Error) as error:
        build()
    assert words in str(error.value)


def test_the_number_of_timesteps_is_whole():
    for wrong in (10.0, "10", None):
        with pytest.raises(TypeError, match="give a whole number"):
            schedules.cosine(wrong)
