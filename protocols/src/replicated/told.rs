//! States that answer nobody: their process is told what has come of each change, and sees to the rest.

use std::fmt::{self, Debug, Display};
use std::mem;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sim_core::service::Outcome;
use sim_core::view::ViewBuilder;

use super::chain::Chain;
use super::command::Agreeable;
use super::index::Index;
use super::machine::{Executable, Machine, Piece};

/// A state that changes by what is agreed on, and by nothing else.
pub trait State: Clone + Send + 'static {
    /// What changes it.
    type Change: Change;
    /// All of it, for a snapshot: it travels whole.
    type Saved: Saved;
    /// What has come of changes.
    type News: Clone + Send;

    /// Changes, and says what has come of it, if anything has.
    fn change(&mut self, change: Self::Change) -> Option<Self::News>;

    /// Somebody else leads from here on.
    fn on_new_leader(&mut self);

    /// Everything that decides what later changes do.
    fn save(&self) -> Self::Saved;

    /// Becomes what was saved.
    fn load(&mut self, saved: &Self::Saved);

    /// What people want to know of it.
    fn show(&self, view: &mut ViewBuilder);
}

/// What changes a [`State`].
pub trait Change: Copy + Eq + Debug + Display + Serialize + Send + Sync + 'static {
    /// Size on disk and on the wire in bytes.
    const SIZE: u64;
}

/// What a snapshot holds of a [`State`].
pub trait Saved: Eq + Debug + Serialize + Send + Sync + 'static {
    /// Size on disk and on the wire in bytes.
    fn size(&self) -> u64;
}

/// What an entry says to a [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Step<C> {
    /// Nothing: a leader begins.
    Noop,
    /// Change.
    Change(C),
}

impl<C: Display> Display for Step<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("noop"),
            Self::Change(change) => change.fmt(f),
        }
    }
}

impl<C: Change> Agreeable for Step<C> {
    const SIZE: u64 = C::SIZE;
    const NOOP: Self = Self::Noop;
}

impl<S: Saved> Piece for Arc<S> {
    fn size(&self) -> u64 {
        S::size(self)
    }

    fn is_session(&self) -> bool {
        false
    }
}

/// A state, and what its process has not been told yet. See the [module documentation](self).
#[derive(Clone)]
pub struct Told<S: State> {
    initial: S,
    state: S,
    applied: Index,
    chain: Chain,
    news: Vec<S::News>,
}

impl<S: State> Told<S> {
    /// A state that nothing has changed yet.
    pub fn new(initial: S) -> Self {
        let (applied, chain) = (Index::ZERO, Chain::EMPTY);
        Self { state: initial.clone(), initial, applied, chain, news: Vec::new() }
    }

    /// The state after all that was executed.
    pub const fn state(&self) -> &S {
        &self.state
    }

    /// What has come of the changes since the last call, in order.
    pub fn take_news(&mut self) -> Vec<S::News> {
        mem::take(&mut self.news)
    }
}

impl<S: State> Machine for Told<S> {
    type Command = Step<S::Change>;
    type Item = Arc<S::Saved>;
    /// Nobody asks.
    type Query = ();

    fn items(&self) -> impl Iterator<Item = Arc<S::Saved>> {
        [Arc::new(self.state.save())].into_iter()
    }

    fn restored(
        &self,
        (applied, chain): (Index, Chain),
        items: impl IntoIterator<Item = Arc<S::Saved>>,
    ) -> Self {
        let mut told = Self { applied, chain, ..Self::new(self.initial.clone()) };
        for saved in items {
            told.state.load(&saved);
        }
        told
    }

    fn apply<E>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome>
    where
        E: Executable<Command = Step<S::Change>>,
    {
        self.applied = self.applied.next();
        self.chain = self.chain.extend(entry);
        witness(self.applied, self.chain);
        match entry.command()? {
            Step::Noop => self.state.on_new_leader(),
            Step::Change(change) => self.news.extend(self.state.change(*change)),
        }
        None
    }

    fn answer(&self, (): ()) -> Outcome {
        unreachable!("nobody asks a state that answers nobody")
    }

    fn applied(&self) -> Index {
        self.applied
    }

    fn chain(&self) -> Chain {
        self.chain
    }

    fn show(&self, view: &mut ViewBuilder) {
        self.state.show(view);
    }
}

/// The chain stands for the state, which is a function of it.
impl<S: State> Serialize for Told<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        (self.applied, self.chain).serialize(serializer)
    }
}
