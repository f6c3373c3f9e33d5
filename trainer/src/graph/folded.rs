//! A trained network without its norms, as fine-tuning starts from it.
use super::{Graph, Init, Layout, Op, TunedPlan};
use crate::network::LayerOp;
use crate::{Error, Result};

impl Graph {
    /// The same network with every norm folded into its convolution, which has a bias then; its conditioning network gets rows of
    /// bias columns for the steps of `plans`.
    pub fn folded(&self, plans: Vec<TunedPlan>) -> Self {
        let mut params = Layout::default();
        let mut copy = |id: usize| {
            let block = &self.params.blocks[id];
            params.push(block.name.clone(), block.shape.clone(), Init::Constant(0.0))
        };
        let mut graph = Self { stats: Layout::default(), ..self.clone() };
        for node in &mut graph.nodes {
            match &mut node.op {
                Op::Conv { weight, bias, norm, .. } => {
                    *weight = copy(*weight);
                    // A bias has the shape and, up to its end, the name of the norm's shift.
                    *bias = bias.or(norm.map(|n| n.beta)).map(&mut copy);
                    *norm = None;
                }
                Op::Linear { weight, bias } => (*weight, *bias) = (copy(*weight), copy(*bias)),
                _ => (),
            }
        }
        let conditioning = &mut graph.conditioning;
        for (weight, bias) in &mut conditioning.layers {
            (*weight, *bias) = (copy(*weight), copy(*bias));
        }
        conditioning.class_table = copy(conditioning.class_table);
        let rows = 1 + plans.iter().map(|p| p.timesteps.len()).sum::<usize>();
        conditioning.plans = plans;
        conditioning.plan_table =
            Some(params.push("conditioning.plans".into(), vec![rows, conditioning.columns], Init::Constant(0.0)));
        graph.params = params;
        graph
    }

    /// The parameters of [`Self::folded`] that compute what these parameters and statistics do.
    ///
    /// # Errors
    /// Vectors of another length than the graph's layouts.
    pub fn folded_params(&self, folded: &Self, params: &[f32], stats: &[f32]) -> Result<Vec<f32>> {
        let network = self.fold(params, stats)?;
        let mut values = folded.params.init(0);
        let mut put =
            |id: usize, source: &[f32]| values[folded.params.blocks[id].range.clone()].copy_from_slice(source);
        for (node, layer) in folded.nodes.iter().zip(&network.layers) {
            let (weight, bias, weights, biases) = match (&node.op, &layer.op) {
                (Op::Conv { weight, bias: Some(bias), .. }, LayerOp::Conv { weights, bias: biases, .. }) => {
                    (weight, bias, weights, biases)
                }
                (Op::Linear { weight, bias }, LayerOp::Linear { weights, bias: biases }) => {
                    (weight, bias, weights, biases)
                }
                (Op::Conv { .. } | Op::Linear { .. }, _) => {
                    return Err(Error::Invalid(format!("layer {} cannot be folded", node.name)))
                }
                _ => continue,
            };
            put(*weight, weights);
            put(*bias, biases);
        }
        let (from, to) = (&self.conditioning, &folded.conditioning);
        for ((weight, bias), (to_weight, to_bias)) in from.layers.into_iter().zip(to.layers) {
            put(to_weight, self.params.slice(weight, params));
            put(to_bias, self.params.slice(bias, params));
        }
        put(to.class_table, self.params.slice(from.class_table, params));
        Ok(values)
    }
}
