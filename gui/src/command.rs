//! What a person can want from the window. There is one list: buttons, keys, the palette and the help are made from it.

use egui::{Key, KeyboardShortcut, Modifiers};
use scenarios::plan::by_hand::free_partition;
use sim_core::fault::{Command, Place, Shape, Target};
use sim_core::status::Power;
use sim_core::{NodeId, SimTime};

pub(crate) use crate::intent::{Close, Intent, Zoom};
use crate::panels::Scene;
use crate::session::{Direction, Landmark, Playback};

/// A wish that can be said by name or key.
pub(crate) struct Wish {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) hint: &'static str,
    /// The key for it.
    pub(crate) key: Option<KeyboardShortcut>,
    /// What is wanted, as things stand; `None` where it cannot be had.
    pub(crate) intent: fn(&Scene<'_>) -> Option<Intent>,
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const fn command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

/// Lets time pass, or holds it.
pub(crate) const PLAY: Wish = Wish {
    name: "Play or pause",
    hint: "let simulated time pass, or hold it",
    key: Some(plain(Key::Space)),
    intent: |scene| match scene.session.playback() {
        _ if scene.session.is_hunting() => Some(Intent::Pause),
        Playback::Playing => Some(Intent::Pause),
        Playback::Paused | Playback::Idle => scene.can_go_on().then_some(Intent::Play),
    },
};
/// One event on.
pub(crate) const STEP: Wish = Wish {
    name: "Step",
    hint: "go on by one event",
    key: Some(plain(Key::ArrowRight)),
    intent: |scene| scene.can_go_on().then_some(Intent::Step),
};
/// One event back.
pub(crate) const STEP_BACK: Wish = Wish {
    name: "Step back",
    hint: "go back by one event",
    key: Some(plain(Key::ArrowLeft)),
    intent: |scene| scene.can_go_back().then_some(Intent::StepBack),
};
/// To time zero.
pub(crate) const TO_START: Wish = Wish {
    name: "To the start",
    hint: "show time zero",
    key: Some(plain(Key::Home)),
    intent: |scene| scene.can_go_back().then_some(Intent::SeekTime(SimTime::ZERO)),
};
/// As far as the run was computed.
pub(crate) const TO_END: Wish = Wish {
    name: "To the end",
    hint: "show the last moment that was computed",
    key: Some(plain(Key::End)),
    intent: |scene| Some(Intent::SeekTime(scene.session.run().now())),
};
/// Time passes faster.
pub(crate) const FASTER: Wish = Wish {
    name: "Faster",
    hint: "let time pass ten times as fast",
    key: Some(plain(Key::Plus)),
    intent: |scene| Some(Intent::SetSpeed(scene.session.speed().next(true))),
};
/// Time passes slower.
pub(crate) const SLOWER: Wish = Wish {
    name: "Slower",
    hint: "let time pass at a tenth of the pace",
    key: Some(plain(Key::Minus)),
    intent: |scene| Some(Intent::SetSpeed(scene.session.speed().next(false))),
};
/// What was done by hand last is not done.
pub(crate) const UNDO: Wish = Wish {
    name: "Undo",
    hint: "go back to before what was done by hand last; what came of it stays a branch",
    key: Some(command(Key::Z)),
    intent: |scene| scene.session.can_undo().then_some(Intent::Undo),
};
/// What was undone is done again.
pub(crate) const REDO: Wish = Wish {
    name: "Redo",
    hint: "do again what was undone",
    key: Some(command(Key::Y)),
    intent: |scene| scene.session.undone().map(|_| Intent::Redo),
};
/// Whoever leads stops.
pub(crate) const CRASH_LEADER: Wish = Wish {
    name: "Crash the leader",
    hint: "whoever leads stops at once",
    key: Some(plain(Key::L)),
    intent: |scene| scene.leader().and_then(|node| scene.act(Command::Crash(node))),
};
/// The selected node stops, or starts.
pub(crate) const CRASH: Wish = Wish {
    name: "Crash or restart the node",
    hint: "the selected node stops at once; one that is down starts on what its disk kept",
    key: Some(plain(Key::C)),
    intent: |scene| match scene.power() {
        Power::Running | Power::Paused => scene.act(Command::Crash(scene.selected)),
        Power::Down => scene.act(Command::Restart(scene.selected)),
    },
};
/// The selected node is not scheduled, or is again.
pub(crate) const PAUSE_NODE: Wish = Wish {
    name: "Pause or resume the node",
    hint: "the process of the selected node is not scheduled; its host stays up and inputs wait",
    key: Some(plain(Key::P)),
    intent: |scene| match scene.power() {
        Power::Running => scene.act(Command::Pause(scene.selected)),
        Power::Paused => scene.act(Command::Resume(scene.selected)),
        Power::Down => None,
    },
};
/// The selected node loses its disk.
pub(crate) const WIPE: Wish = Wish {
    name: "Wipe the node",
    hint: "the disk of the selected node becomes empty",
    key: None,
    intent: |scene| scene.act(Command::Wipe(scene.selected)),
};
/// The selected node is cut off.
pub(crate) const ISOLATE: Wish = Wish {
    name: "Cut the node off",
    hint: "the selected node reaches no other, and none reaches it; clients do",
    key: Some(plain(Key::I)),
    intent: |scene| scene.partition(&[scene.selected]).and_then(|command| scene.act(command)),
};
/// The network heals.
pub(crate) const MEND: Wish = Wish {
    name: "Mend the network",
    hint: "no cut, partition or slow link is left; nodes stay as they are",
    key: Some(plain(Key::M)),
    intent: |scene| scene.act(Command::HealAll),
};
/// Everything heals.
pub(crate) const HEAL: Wish = Wish {
    name: "Heal everything",
    hint: "network, clocks and disks are well again, all nodes run",
    key: Some(plain(Key::H)),
    intent: |scene| scene.act(Command::Recover),
};
/// What clients saw is judged.
pub(crate) const JUDGE: Wish = Wish {
    name: "Judge the history",
    hint: "ask the checkers of the history about all that was computed; a long history may take seconds",
    key: Some(plain(Key::J)),
    intent: |scene| scene.session.is_judging_worthwhile().then_some(Intent::Judge),
};
/// The next seed.
pub(crate) const NEXT_SEED: Wish = Wish {
    name: "Next seed",
    hint: "begin again with the next seed",
    key: Some(plain(Key::N)),
    intent: |scene| scene.anew(Intent::Restart { seed: scene.session.seed().wrapping_add(1) }),
};
/// The seed before.
pub(crate) const PREVIOUS_SEED: Wish = Wish {
    name: "Previous seed",
    hint: "begin again with the seed before",
    key: Some(shift(Key::N)),
    intent: |scene| scene.anew(Intent::Restart { seed: scene.session.seed().wrapping_sub(1) }),
};
/// Some other seed.
pub(crate) const RANDOM_SEED: Wish = Wish {
    name: "Random seed",
    hint: "begin again with a seed far from this one",
    key: Some(plain(Key::R)),
    intent: |scene| scene.anew(Intent::Restart { seed: far_from(scene.session.seed()) }),
};
/// Seed after seed.
pub(crate) const HUNT: Wish = Wish {
    name: "Run until something breaks",
    hint: "run seed after seed, and show the first that violates something, at the violation",
    key: Some(plain(Key::U)),
    intent: |scene| scene.anew(Intent::Hunt).filter(|_| !scene.session.is_hunting()),
};
/// Nothing is computed any more.
pub(crate) const STOP: Wish = Wish {
    name: "Stop",
    hint: "hold time, and end what is being computed",
    key: Some(plain(Key::Escape)),
    intent: |scene| {
        let session = scene.session;
        let is_busy = session.is_hunting() || session.is_seeking() || session.playback() == Playback::Playing;
        is_busy.then_some(Intent::Pause)
    },
};
/// What was done goes to a file.
pub(crate) const SAVE: Wish = Wish {
    name: "Save",
    hint: "write what was done to a file that the command line replays; or a picture of what came of it",
    key: Some(command(Key::S)),
    intent: |_| Some(Intent::AskToSave),
};
/// The list to search in.
pub(crate) const PALETTE: Wish = Wish {
    name: "Find a command",
    hint: "all commands, panels and scenarios, to search in",
    key: Some(command(Key::P)),
    intent: |_| Some(Intent::TogglePalette),
};
/// The keys.
pub(crate) const HELP: Wish = Wish {
    name: "Keys",
    hint: "what keys and mouse do",
    key: Some(plain(Key::Questionmark)),
    intent: |_| Some(Intent::ToggleHelp),
};

/// A bookmark is set or removed.
pub(crate) const BOOKMARK: Wish = Wish {
    name: "Bookmark",
    hint: "set a bookmark at the moment that is shown, or remove the one that is there",
    key: Some(plain(Key::B)),
    intent: |scene| Some(Intent::Bookmark(scene.session.playhead())),
};
/// To the bookmark after.
pub(crate) const NEXT_BOOKMARK: Wish = Wish {
    name: "Next bookmark",
    hint: "go to the bookmark after the moment that is shown",
    key: Some(plain(Key::G)),
    intent: |scene| scene.to_bookmark(Direction::Forward),
};
/// To the bookmark before.
pub(crate) const PREVIOUS_BOOKMARK: Wish = Wish {
    name: "Previous bookmark",
    hint: "go to the bookmark before the moment that is shown",
    key: Some(shift(Key::G)),
    intent: |scene| scene.to_bookmark(Direction::Back).filter(|_| scene.can_go_back()),
};

/// All, in the order of the help.
pub(crate) const WISHES: &[Wish] = &[
    PLAY,
    STEP,
    STEP_BACK,
    TO_START,
    TO_END,
    FASTER,
    SLOWER,
    Wish {
        name: "Next message",
        hint: "go to where the next message, request or reply arrives",
        key: Some(shift(Key::ArrowRight)),
        intent: |scene| scene.on_to(Landmark::Arrival),
    },
    Wish {
        name: "Previous message",
        hint: "go back to where the message before arrived",
        key: Some(shift(Key::ArrowLeft)),
        intent: |scene| scene.back_to(Landmark::Arrival),
    },
    Wish {
        name: "Next at this node",
        hint: "go to where something happens next at the selected node",
        key: Some(command(Key::ArrowRight)),
        intent: |scene| scene.on_to(Landmark::At(scene.selected)),
    },
    Wish {
        name: "Previous at this node",
        hint: "go back to where something happened at the selected node before",
        key: Some(command(Key::ArrowLeft)),
        intent: |scene| scene.back_to(Landmark::At(scene.selected)),
    },
    Wish {
        name: "Next violation",
        hint: "go to where the next property is violated; computes until there is one",
        key: Some(plain(Key::V)),
        intent: |_| Some(Intent::Jump(Landmark::Violation, Direction::Forward)),
    },
    Wish {
        name: "Previous violation",
        hint: "go back to the violation before",
        key: Some(shift(Key::V)),
        intent: |scene| scene.back_to(Landmark::Violation),
    },
    Wish {
        name: "Next election",
        hint: "go to where the next process leads",
        key: Some(plain(Key::E)),
        intent: |_| Some(Intent::Jump(Landmark::Election, Direction::Forward)),
    },
    Wish {
        name: "Previous election",
        hint: "go back to the election before",
        key: Some(shift(Key::E)),
        intent: |scene| scene.back_to(Landmark::Election),
    },
    Wish {
        name: "Next fault",
        hint: "go to the next crash, restart or command",
        key: Some(plain(Key::F)),
        intent: |_| Some(Intent::Jump(Landmark::Fault, Direction::Forward)),
    },
    Wish {
        name: "Previous fault",
        hint: "go back to the fault before",
        key: Some(shift(Key::F)),
        intent: |scene| scene.back_to(Landmark::Fault),
    },
    BOOKMARK,
    NEXT_BOOKMARK,
    PREVIOUS_BOOKMARK,
    Wish {
        name: "Why?",
        hint: "tell why the chosen event came; else why a property is violated, or why the node stands as it does",
        key: Some(plain(Key::W)),
        intent: |scene| scene.anew(Intent::Why),
    },
    CRASH_LEADER,
    CRASH,
    PAUSE_NODE,
    WIPE,
    ISOLATE,
    MEND,
    HEAL,
    JUDGE,
    UNDO,
    REDO,
    STOP,
    HUNT,
    NEXT_SEED,
    PREVIOUS_SEED,
    RANDOM_SEED,
    Wish {
        name: "Begin again",
        hint: "begin at time zero with this seed; what was done by hand goes",
        key: Some(command(Key::R)),
        intent: |scene| scene.anew(Intent::Restart { seed: scene.session.seed() }),
    },
    SAVE,
    Wish {
        name: "The run before",
        hint: "go back to the run that was shown before another was opened or begun",
        key: Some(shift(Key::R)),
        intent: |scene| scene.has_before.then_some(Intent::RunBefore),
    },
    Wish {
        name: "Open a file",
        hint: "look for a scenario or a capsule in the desktop's own dialog; or drop one on the window",
        key: Some(command(Key::O)),
        intent: |_| Some(Intent::Browse),
    },
    PALETTE,
    HELP,
    Wish {
        name: "Tour of the window",
        hint: "what is where, in a few steps",
        key: Some(plain(Key::F1)),
        intent: |_| Some(Intent::Tour),
    },
    Wish {
        name: "Larger text",
        hint: "everything is drawn larger",
        key: Some(command(Key::Plus)),
        intent: |_| Some(Intent::Zoom(Zoom::In)),
    },
    Wish {
        name: "Smaller text",
        hint: "everything is drawn smaller",
        key: Some(command(Key::Minus)),
        intent: |_| Some(Intent::Zoom(Zoom::Out)),
    },
    Wish {
        name: "Usual text size",
        hint: "everything is drawn as large as at first",
        key: Some(command(Key::Num0)),
        intent: |_| Some(Intent::Zoom(Zoom::Usual)),
    },
    Wish {
        name: "Dark or light",
        hint: "change the colours of the window",
        key: None,
        intent: |_| Some(Intent::ToggleTheme),
    },
    Wish {
        name: "Reset the panels",
        hint: "put all panels where they were at first",
        key: None,
        intent: |_| Some(Intent::ResetPanels),
    },
];

/// A seed that looks random, and is the same each time (splitmix64, Steele, Lea and Flood 2014). Small enough to be read aloud.
const fn far_from(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) % 1_000_000
}

impl Scene<'_> {
    /// The wish for a command, where commands are taken.
    pub(crate) fn act(&self, command: Command) -> Option<Intent> {
        self.session.simulation().capabilities().command.then_some(Intent::Apply(command))
    }

    /// The command that parts these nodes from all others, clients aside; `None` where that parts nobody.
    pub(crate) fn partition(&self, nodes: &[NodeId]) -> Option<Command> {
        let is_split = !nodes.is_empty() && nodes.len() < self.statuses.len();
        let group = nodes.iter().map(|node| Place::Node(*node)).collect();
        let name = free_partition(self.session.scenario(), self.session.simulation().plan());
        is_split.then_some(Command::Partition { name, shape: Shape::Groups(vec![group]) })
    }

    /// Who leads; the latest, where several believe to.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        Target::Leader.resolve(self.statuses, &[], 0).first().copied()
    }

    fn power(&self) -> Power {
        self.statuses[self.selected.index()].power
    }

    /// The wish for what needs a run, where there is one.
    fn anew(&self, intent: Intent) -> Option<Intent> {
        self.session.hindrance().is_none().then_some(intent)
    }

    fn can_go_on(&self) -> bool {
        self.session.can_go_on()
    }

    fn can_go_back(&self) -> bool {
        self.session.can_go_back()
    }

    fn to_bookmark(&self, direction: Direction) -> Option<Intent> {
        self.session.bookmarks.nearest(self.session.playhead(), direction).map(Intent::SeekTime)
    }

    fn on_to(&self, landmark: Landmark) -> Option<Intent> {
        let is_recorded = self.session.run().trace().is_some();
        is_recorded.then_some(Intent::Jump(landmark, Direction::Forward))
    }

    fn back_to(&self, landmark: Landmark) -> Option<Intent> {
        self.can_go_back().then_some(Intent::Jump(landmark, Direction::Back))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_wishes_share_a_name_or_a_key() {
        let names: BTreeSet<_> = WISHES.iter().map(|wish| wish.name).collect();
        assert_eq!(names.len(), WISHES.len());
        let keys: Vec<_> = WISHES.iter().filter_map(|wish| wish.key).map(|key| format!("{key:?}")).collect();
        let distinct: BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "{keys:?}");
    }
}
