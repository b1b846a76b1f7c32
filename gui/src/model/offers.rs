//! What can be done by hand to a node, a client, a link, a message or everything, in the words of scenario files: `{1}`, `{2}` stand
//! for whom it is about.
//!
//! Each is a line of the plan like any other, so what is not offered here can be written there.

/// Rows of a menu that belong together.
pub(crate) struct Offers {
    /// What they are called; empty for rows that stand in the menu itself.
    pub(crate) name: &'static str,
    /// Each row and its act.
    pub(crate) rows: &'static [(&'static str, &'static str)],
}

/// To a node `{1}`.
pub(crate) const NODE: &[Offers] = &[
    Offers {
        name: "Speed",
        rows: &[
            ("3 times slower", "SlowDown(node: \"{1}\", percent: 300)"),
            ("10 times slower", "SlowDown(node: \"{1}\", percent: 1000)"),
            ("100 times slower", "SlowDown(node: \"{1}\", percent: 10000)"),
            ("As usual", "SlowDown(node: \"{1}\", percent: 100)"),
        ],
    },
    Offers {
        name: "Clock",
        rows: &[
            ("Wall clock a second ahead", "ClockOffset(node: \"{1}\", by: \"1s\")"),
            ("Wall clock a second behind", "ClockOffset(node: \"{1}\", by: \"-1s\")"),
            ("Wall clock jumps 10 s ahead", "ClockStep(node: \"{1}\", by: \"10s\")"),
            ("Wall clock jumps 10 s back", "ClockStep(node: \"{1}\", by: \"-10s\")"),
            ("Runs 10 % fast", "ClockDrift(node: \"{1}\", rate: \"100000ppm\")"),
            ("Runs 10 % slow", "ClockDrift(node: \"{1}\", rate: \"-100000ppm\")"),
            (
                "Flips by 100 ms each 5 ms",
                "ClockStrobe(node: \"{1}\", amplitude: \"100ms\", period: \"5ms\")",
            ),
            ("Stands still", "ClockFreeze(\"{1}\")"),
            ("Goes on", "ClockThaw(\"{1}\")"),
            ("Is well again", "ClockHeal(\"{1}\")"),
        ],
    },
    Offers {
        name: "Disk",
        rows: &[
            ("10 times slower", "DiskSlow(node: \"{1}\", times: 10)"),
            ("As fast as usual", "DiskSlow(node: \"{1}\", times: 1)"),
            ("Stalls", "DiskStall(\"{1}\")"),
            ("Goes on", "DiskUnstall(\"{1}\")"),
            ("Is full", "DiskCapacity(node: \"{1}\", size: \"0B\")"),
            ("Has room again", "DiskCapacity(node: \"{1}\")"),
            ("Lies about syncs", "DiskLie(\"{1}\")"),
            ("Is honest again", "DiskHonest(\"{1}\")"),
            ("Loses its last sync (crash)", "DiskRollBack(node: \"{1}\", region: 0, syncs: 1)"),
            ("Wipe (crash)", "Wipe(\"{1}\")"),
        ],
    },
    Offers {
        name: "Network",
        rows: &[
            ("Hears nobody", "Partition(name: \"{new}\", shape: OneWay(from: [\"all\"], to: [\"{1}\"]))"),
            (
                "Is heard by nobody",
                "Partition(name: \"{new}\", shape: OneWay(from: [\"{1}\"], to: [\"all\"]))",
            ),
            ("Is the only bridge", "Partition(name: \"{new}\", shape: Bridge(\"{1}\"))"),
        ],
    },
];

/// To the link between `{1}` and `{2}`.
pub(crate) const LINK: &[Offers] = &[
    Offers {
        name: "",
        rows: &[
            ("Cut", "Cut(from: [\"{1}\"], to: [\"{2}\"], direction: BothWays)"),
            ("Cut {1} to {2} only", "Cut(from: [\"{1}\"], to: [\"{2}\"], direction: OneWay)"),
            ("Cut {2} to {1} only", "Cut(from: [\"{2}\"], to: [\"{1}\"], direction: OneWay)"),
            ("Mend", "Mend(from: [\"{1}\"], to: [\"{2}\"], direction: BothWays)"),
        ],
    },
    Offers {
        name: "Hold",
        rows: &[
            ("Hold {1} to {2}", "Hold(from: [\"{1}\"], to: [\"{2}\"])"),
            ("Hold {2} to {1}", "Hold(from: [\"{2}\"], to: [\"{1}\"])"),
            ("Release {1} to {2}", "Release(from: [\"{1}\"], to: [\"{2}\"])"),
            ("Release {2} to {1}", "Release(from: [\"{2}\"], to: [\"{1}\"])"),
        ],
    },
];

/// To the link from `{1}` to `{2}` alone.
pub(crate) const ONE_WAY: &[Offers] = &[Offers {
    name: "{1} to {2}",
    rows: &[
        ("Loses 10 %", "Lose(from: [\"{1}\"], to: [\"{2}\"], probability: 0.1)"),
        ("Loses half", "Lose(from: [\"{1}\"], to: [\"{2}\"], probability: 0.5)"),
        ("Loses as usual", "Lose(from: [\"{1}\"], to: [\"{2}\"])"),
        ("Doubles half", "Duplicate(from: [\"{1}\"], to: [\"{2}\"], probability: 0.5)"),
        ("Doubles as usual", "Duplicate(from: [\"{1}\"], to: [\"{2}\"])"),
        ("10 times slower", "Delay(from: [\"{1}\"], to: [\"{2}\"], percent: 1000)"),
        ("100 times slower", "Delay(from: [\"{1}\"], to: [\"{2}\"], percent: 10000)"),
        ("As fast as usual", "Delay(from: [\"{1}\"], to: [\"{2}\"], percent: 100)"),
    ],
}];

/// To a message `{1}` on its way.
pub(crate) const MESSAGE: &[Offers] = &[
    Offers {
        name: "",
        rows: &[
            ("Drop", "DropMessage(\"{1}\")"),
            ("Deliver now", "DeliverMessage(\"{1}\")"),
            ("Deliver twice", "DuplicateMessage(\"{1}\")"),
        ],
    },
    Offers {
        name: "Delay",
        rows: &[
            ("By 10 ms", "DelayMessage(message: \"{1}\", by: \"10ms\")"),
            ("By 100 ms", "DelayMessage(message: \"{1}\", by: \"100ms\")"),
            ("By a second", "DelayMessage(message: \"{1}\", by: \"1s\")"),
        ],
    },
];

/// To all links.
pub(crate) const EVERYWHERE: &[Offers] = &[Offers {
    name: "All links",
    rows: &[
        ("Lose 10 %", "LoseEverywhere(probability: 0.1)"),
        ("Lose half", "LoseEverywhere(probability: 0.5)"),
        ("Lose as usual", "LoseEverywhere()"),
        ("Double half", "DuplicateEverywhere(probability: 0.5)"),
        ("Double as usual", "DuplicateEverywhere()"),
        ("Half of it out of order, by 20 ms", "ReorderEverywhere(probability: 0.5, extra: \"20ms\")"),
        ("In order as usual", "ReorderEverywhere()"),
        ("10 times slower", "DelayEverywhere(percent: 1000)"),
        ("As fast as usual", "DelayEverywhere(percent: 100)"),
    ],
}];

/// A text with whom it is about put in; `{new}` is a name for a new partition.
pub(crate) fn filled(text: &str, about: &[String]) -> String {
    let mut filled = text.replace("{new}", "new");
    for (place, name) in (1..).zip(about) {
        filled = filled.replace(&format!("{{{place}}}"), name);
    }
    filled
}
