//! Checks the plans.

use super::error::{ParseError, PlanFault};
use super::limits::MAX_PLANS;
use crate::format::{items, Header, PlanHeader, Table, MAX_PLAN_NAME};
use crate::ops::checker::Checker;
use crate::plan::{Step, STEP_LEN};

/// Checks all plans; returns whether one of them needs the previous x0_hat.
pub(super) fn check_plans(header: &Header, checker: &mut Checker) -> Result<bool, ParseError> {
    if header.plan_count > MAX_PLANS {
        return Err(ParseError::TooManyPlans { found: header.plan_count });
    }
    let mut plans = items::<PlanHeader>(header.plans);
    let mut uses_previous = false;
    for index in 0..header.plan_count {
        let fail = |fault| ParseError::Plan { plan: index, fault };
        let plan = plans.next().ok_or(fail(PlanFault::Encoding))?;
        if !(1..=MAX_PLAN_NAME).contains(&plan.name.len()) {
            return Err(fail(PlanFault::Name));
        }
        // At most `MAX_PLANS` of them.
        if items::<PlanHeader>(header.plans).take(index as usize).any(|earlier| earlier.name == plan.name) {
            return Err(fail(PlanFault::Repeated));
        }
        uses_previous |= check_steps(&plan, header, checker).map_err(fail)?;
    }
    if !plans.rest().is_empty() {
        return Err(ParseError::Plan { plan: header.plan_count, fault: PlanFault::Encoding });
    }
    Ok(uses_previous)
}

/// Checks the steps of a plan; returns whether one of them needs the previous x0_hat.
fn check_steps(plan: &PlanHeader, header: &Header, checker: &mut Checker) -> Result<bool, PlanFault> {
    if plan.steps == 0 {
        return Err(PlanFault::Empty);
    }
    let len = plan.steps as u64 * STEP_LEN as u64;
    let steps = checker.examined(Table::Steps, plan.table, len, 4).map_err(PlanFault::Table)?;
    let conditioning = header.conditioning;
    let mut uses_previous = false;
    let binomial = header.process.is_binomial();
    for (i, bytes) in steps.as_chunks::<STEP_LEN>().0.iter().enumerate() {
        // Of the binomial process any words are a step.
        if !binomial && !Step::finite(bytes) {
            return Err(PlanFault::NotFinite { step: i as u16 });
        }
        let step = Step::decode(bytes);
        if conditioning.columns > 0 && step.time_row >= conditioning.time_rows {
            return Err(PlanFault::TimeRow { step: i as u16 });
        }
        // By its bits, of which the sign does not count.
        uses_previous |= !binomial && step.c.to_bits() << 1 != 0;
    }
    Ok(uses_previous)
}
