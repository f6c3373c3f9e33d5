"""What draws give, and what they refuse."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import path

import brownian
from brownian import plans, schedules


def test_shapes_and_numbers(digits):
    samples = digits.sample("fast5", seed=1, count=5, classes=7)
    assert (samples.shape, samples.dtype) == ((5, 28, 28, 1), np.float32)
    assert np.abs(samples).max() <= 1 and samples.std() > 0.3
    samples[0] = 0  # It is the caller's.
    # Image i is the same in every draw, on any number of threads.
    later = digits.sample("fast5", seed=1, first=2, count=3, classes=7, threads=1)
    assert np.array_equal(later, digits.sample("fast5", seed=1, count=5, classes=7)[2:])
    assert not np.array_equal(later[0], later[1])
    assert np.array_equal(digits.sample(seed=1, threads=3), digits.sample(next(iter(digits.plans)), seed=1))


def test_classes_by_number_name_and_image(digits, odd):
    def draw(classes, model=digits, **asked):
        return model.digests("fast5" if model is digits else "fast4", seed=2, classes=classes, **asked)

    assert np.array_equal(draw(3), draw("3"))
    assert np.array_equal(draw([3, None], count=4)[2], draw(3, count=4)[2])
    assert np.array_equal(draw([3, None], count=4)[1], draw(None, count=4)[1])
    assert np.array_equal(draw(np.arange(10), count=10), draw("cycle", count=10))
    assert not np.array_equal(draw(3), draw(4))
    names = [axis.classes for axis in odd.axes]
    assert len(names) == 3 and odd.shape == (9, 13, 3)
    first, second, _ = odd.axes
    by_name = draw({first.name: first.classes[1], second.name: second.classes[0]}, odd)
    assert np.array_equal(by_name, draw({second.name: 0, first.name: 1}, odd))
    text = f"{first.name}={first.classes[1]}+{second.name}={second.classes[0]}"
    assert np.array_equal(by_name, draw(text, odd))
    assert not np.array_equal(by_name, draw({first.name: 1}, odd))


def test_guidance_0_is_without_a_class(digits):
    def draw(**asked):
        return digits.sample("fast5", seed=4, **asked)

    assert np.array_equal(draw(classes=3, guidance=0), draw())
    assert np.array_equal(draw(classes=3, guidance=1, two_evaluations=True), draw(classes=3))
    assert not np.array_equal(draw(classes=3, guidance=3), draw(classes=3))


def test_the_last_preview_is_the_sample(digits, bits):
    previews = digits.previews("fast5", seed=1, count=2, classes=7)
    assert (previews.shape, previews.dtype) == ((2, 5, 28, 28, 1), np.float32)
    assert np.array_equal(previews[:, -1], digits.sample("fast5", seed=1, count=2, classes=7))
    over_bits = bits.previews("bits5")
    assert over_bits.shape == (1, 5, *bits.shape) and len(np.unique(over_bits[0, 0])) > 2


def test_bits_are_minus_1_and_1(bits):
    assert bits.process == "binomial"
    samples = bits.sample("bits5", seed=1, count=3)
    assert set(np.unique(samples)) == {-1, 1}


def test_inpainting_keeps_what_is_known(digits):
    image = digits.sample("fast5", seed=9, classes=8)
    keep = np.zeros((28, 28), bool)
    keep[:14] = True
    drawn = digits.sample("fast5", seed=1, count=3, classes=8, image=image, keep=keep)
    assert np.array_equal(drawn[:, keep], np.repeat(image[:, keep], 3, axis=0))
    assert not np.array_equal(drawn[0], drawn[1])
    # Of several images, image i of the draw takes number i.
    two = np.concatenate([image, -image])
    assert np.array_equal(digits.sample("fast5", count=3, image=two, keep=keep)[:, keep], two[[0, 1, 0]][:, keep])


def test_image_to_image_makes_the_steps_that_are_left(digits):
    image = digits.sample("fast5", seed=9, classes=8)[0]
    near = digits.sample("fast10", seed=1, classes=8, start_from=image, start=9)[0]
    far = digits.sample("fast10", seed=1, classes=8, start_from=image, start=2)[0]
    assert np.abs(near - image).mean() < np.abs(far - image).mean()
    assert digits.digests("fast10", start_from=image, start=7).shape == (1, 3)
    assert digits.previews("fast10", start_from=image, start=7).shape == (1, 3, 28, 28, 1)
    # Bytes and their values are the same image.
    levels = np.arange(784, dtype=np.uint32).astype(np.uint8).reshape(28, 28, 1)
    values = levels.astype(np.float32) / np.float32(127.5) - np.float32(1)
    drawn = [digits.digests("fast5", start_from=given, start=3) for given in (levels, values)]
    assert np.array_equal(*drawn)


ONES = np.ones((28, 28, 1), np.float32)
KEEP = np.ones((28, 28), bool)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"plan": "fast6"}, "the model has no plan 'fast6'; it has"),
        ({"count": 0}, "count 0: give 1 to 4294967295"),
        ({"count": 2, "first": 2**32 - 1}, "are too many"),
        ({"count": 2**31}, "do not fit in memory"),
        ({"seed": -1}, "seed -1: give 0 to 18446744073709551615"),
        ({"threads": 0}, "threads 0: give 1 to 1024"),
        ({"classes": 10}, "the class must be below 10"),
        ({"classes": 2**40}, "the class must be below 10"),
        ({"classes": -1}, "the class must be below 10"),
        ({"classes": "ten"}, 'there is no class "ten"; it has 0, 1, 2'),
        ({"classes": {"hair": 1}}, 'there is no label axis "hair"; the model has class'),
        ({"classes": {"class": 10}}, "class has no class 10; it has 0, 1, 2"),
        ({"classes": 1.5}, "class 1.5: give a number, a name"),
        ({"classes": []}, "classes is empty"),
        ({"guidance": 2.0}, "guidance acts on a class"),
        ({"classes": 1, "guidance": 17.0}, "the guidance scale must be from 0 to 16"),
        ({"start_from": ONES, "start": 5}, "the plan has 5 steps"),
        ({"start_from": ONES, "start": -1}, "start -1: give 0 to"),
        ({"start": 2}, "give start_from too"),
        ({"start_from": ONES[1:], "start": 2}, r"start_from has shape (27, 28, 1): the model draws (28, 28, 1)"),
        ({"start_from": ONES.astype(int)}, "start_from is of int64: give floats"),
        ({"start_from": ONES * np.nan}, "start_from has values that are not finite"),
        ({"image": ONES}, "give both"),
        ({"image": ONES, "keep": KEEP[:, :, None]}, "keep has shape (28, 28, 1): give a truth value a pixel"),
        ({"image": ONES, "keep": KEEP.astype(int)}, "keep is of int64: give bool"),
        ({"image": ONES, "keep": KEEP, "keep_noise": 0.0}, "adds no noise"),
        ({"image": ONES, "keep": KEEP, "keep_noise": 11.0}, "must be from 0 to 10"),
        ({"keep_noise": 1.0}, "give image and keep too"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:30],
)
def test_what_cannot_be_drawn_says_why(digits, asked, words):
    with pytest.raises(brownian.Error) as error:
        digits.sample(**{"plan": "fast5"} | asked)
    assert words in str(error.value)
    assert isinstance(error.value, ValueError)


def test_axes_are_told_apart(odd):
    with pytest.raises(brownian.Error, match="class 1 of which axis\\? The model has"):
        odd.sample(classes=1)
    first = odd.axes[0]
    with pytest.raises(brownian.Error, match="has no class \"no\""):
        odd.sample(classes={first.name: "no"})
    last = odd.axes[2]
    with pytest.raises(brownian.Error, match=f"{last.name} has no class 99; it has"):
        odd.sample(classes={last.name: 99})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"plan": plans.build("ddim:5", schedules.cosine(100))}, "plan is a Plan: a model draws with its file's own"),
        ({"plan": 5}, "plan is 5: give the name of a plan"),
        ({"seed": "1"}, "seed is '1': give a whole number"),
        ({"seed": 1.5}, "seed is 1.5: give a whole number"),
        ({"first": None}, "first is None: give a whole number"),
        ({"count": 2.0}, "count is 2.0: give a whole number"),
        ({"count": float("nan")}, "count is nan: give a whole number"),
        ({"start_from": ONES, "start": 0.4}, "start is 0.4: give a whole number"),
        ({"threads": "two"}, "threads is 'two': give a whole number"),
        ({"guidance": "a"}, "guidance is 'a': give a number"),
        ({"image": ONES, "keep": KEEP, "keep_noise": [1, 2]}, "keep_noise is [1, 2]: give a number"),
        ({"start_from": np.ma.masked_array(ONES)}, "start_from is a masked array"),
        ({"sed": 1}, "there is no argument 'sed'; there are plan, seed, count"),
    ],
)
def test_arguments_of_a_wrong_type_say_so(digits, asked, words):
    with pytest.raises(TypeError) as error:
        digits.sample(**{"plan": "fast5"} | asked)
    assert words in str(error.value)


def test_classes_of_numpy_and_of_bytes(digits):
    seven = digits.digests("fast5", classes=7)
    for same in (np.array(7), np.int16(7), np.array([7]), "7"):
        assert np.array_equal(digits.digests("fast5", classes=same), seven)
    with pytest.raises(brownian.Error, match="class b'7': give a number"):
        digits.sample(classes=b"7")


def test_what_is_drawn_is_ones_own(digits):
    samples = digits.sample("fast5", count=2)
    samples += 1
    assert samples.flags.writeable and not np.array_equal(samples, digits.sample("fast5", count=2))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by setrlimit")
def test_too_little_memory_is_a_memory_error_or_said():
    """As little room as there is for one of the two copies, in a process of its own."""
    program = f"""
import resource, brownian
model = brownian.load({str(path("digits28-nano"))!r})
model.sample("fast5", count=2, threads=1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), used + (8 << 20)))
try:
    model.sample("fast5", count=2000, threads=1)
except (MemoryError, brownian.Error):
    print("said")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "said\n", done
