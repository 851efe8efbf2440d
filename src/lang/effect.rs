//! What the file of an action kind promises to the recipes that use it. Recipes know kinds only through this.

use std::sync::Arc;

use crate::model::effect::Prepared;

use super::diag::Report;
use super::shape::Shape;
use super::template::{Context, Name, TemplateError};
use super::yaml::Node;

/// A kind of action, `http` or `email`: reads the settings below its name in a recipe.
pub trait EffectKind: Send + Sync {
    /// The key in a recipe.
    fn name(&self) -> &'static str;

    /// The settings below it: what they are, for the reader, for editors and for the reference.
    fn shape(&self) -> &'static Shape;

    /// Reads and checks the settings; mistakes go to the report. Pure: no network, no file.
    fn compile(&self, settings: &Node, report: &mut Report) -> Option<Arc<dyn Effect>>;
}

/// A step's action, read and checked.
pub trait Effect: Send + Sync + std::fmt::Debug {
    /// The connection that the recipe names; `None` where it was left out.
    fn connection(&self) -> Option<&str>;

    /// What it does, for the recipe's sentence: "send an e-mail to `ana@example.com`". Empty where its name says it.
    fn says(&self) -> String {
        String::new()
    }

    /// Every name its templates read, with the place in the file.
    fn names(&self) -> Vec<(Name, super::diag::Place)>;

    /// Fills the templates in. Pure: the same values give the same request.
    fn render(&self, connection: &str, values: &Context) -> Result<Rendering, TemplateError>;
}

/// What rendering an action gives.
#[derive(Clone, Debug)]
pub enum Rendering {
    /// A request, ready to be recorded and sent.
    Ready(Prepared),
    /// There is nobody to send to; the step is skipped with this reason.
    Skip(String),
}
