//! The scripts' own rules, on Echo.

use super::run::{Played, play};
use crate::echo::Echo;

fn played(text: &str) -> Played {
    play::<Echo>(text)
}

/// The text with what came, of a script that works.
fn after(text: &str) -> String {
    let played = played(text);
    assert_eq!(played.error, None);
    played.after
}

fn error(text: &str) -> String {
    played(text).error.expect("the script is wrong")
}

#[test]
fn a_script_with_its_outputs_filled_in_goes_as_written() {
    let text = after("# A claim.\n> cluster nodes=3\n> request c1 n1 echo 7\n> settle\n> replies\n");
    assert!(text.contains("    sends n2 Ask c1#0 value=7\n"), "{text}");
    assert!(text.contains("  c1#0 from n1: value 7\n"), "{text}");
    let again = played(&text);
    assert_eq!((again.differences, again.error, again.after), (Vec::new(), None, text));
}

#[test]
fn an_output_that_differs_is_shown_with_its_line() {
    let played = played("# A claim.\n> cluster nodes=3\n> in-flight\n  something\n");
    assert_eq!(played.differences, ["line 3: > in-flight\n  -  something\n  +  nothing\n"]);
}

#[test]
fn commands_that_make_no_sense_fail_the_script() {
    let cases = [
        ("jump", "no command"),
        ("deliver n1 n2", "no such message"),
        ("fire n1 election", "no timer"),
        ("durable n1", "no sync"),
        ("restart n1", "is up"),
        ("state n4", "none of the 3 nodes"),
        ("state n1 n2", "not understood"),
        ("retry c1 n1", "asked nothing"),
        ("request c5 n1 echo 7", "c5 is none of the 4 clients"),
        ("retry c5 n1", "`c5` has asked nothing"),
        ("request c1 n1 sing", "no operation"),
    ];
    for (command, reason) in cases {
        let error = error(&format!("# A claim.\n> cluster nodes=3\n> {command}\n"));
        assert!(error.starts_with("line 3") && error.contains(reason), "{command}: {error}");
    }
    assert!(error("# A claim.\n> state\n").contains("`cluster`"));
    assert!(error("# A claim.\n> cluster nodes=3 speed=7\n").contains("`speed=7`"));
}

#[test]
fn a_violation_that_was_announced_must_come() {
    let error = error("# A claim.\n> cluster nodes=3\n> expect-violation answers-match\n");
    assert!(error.contains("`answers-match` was expected"), "{error}");
}

#[test]
fn messages_are_chosen_by_link_age_and_text() {
    let ask = "# A claim.\n> cluster nodes=2\n> request c1 n1 echo 1\n> request c2 n1 echo 2\n> request c3 n1 echo 3\n";
    let chosen = |which: &str| {
        let text = after(&format!("{ask}\n> drop n1 n2{which}\n"));
        text.lines().filter(|line| line.ends_with("is lost")).map(str::to_owned).collect::<Vec<_>>()
    };
    let lost = |number: u32| format!("  Ask c{number}#0 value={number} from n1 to n2 is lost");
    assert_eq!(chosen(""), [lost(1)]);
    assert_eq!(chosen(" #2"), [lost(2)]);
    assert_eq!(chosen(" last"), [lost(3)]);
    assert_eq!(chosen(" Ask c2"), [lost(2)]);
    assert_eq!(chosen(" all"), [lost(1), lost(2), lost(3)]);
}

#[test]
fn a_message_to_a_node_that_is_down_is_lost_on_arrival() {
    let text = after("# A claim.\n> cluster nodes=2\n> request c1 n1 echo 1\n> crash n2\n> deliver n1 n2\n");
    assert!(text.contains("from n1 arrives, but it is lost: node-down"), "{text}");
}

#[test]
fn a_doubled_message_arrives_twice_and_a_lost_one_never() {
    let text = after(
        "# A claim.\n> cluster nodes=2\n> request c1 n1 echo 1\n> duplicate n1 n2\n> deliver n1 n2 all\n> drop n2 n1\n> settle\n",
    );
    assert_eq!(text.matches("sends n1 Answer").count(), 2, "{text}");
    assert_eq!(text.matches("n1: Answer").count(), 1, "{text}");
}

#[test]
fn time_moves_by_timers_and_by_advance_only() {
    let text = after(
        "# A claim.\n> cluster nodes=2 retry_after=50ms\n> request c1 n1 echo 1\n> timers\n> advance 20ms\n> timers\n> fire n1 retry\n> advance 1ms\n",
    );
    let of = |text: &str, part: &str| text.matches(part).count();
    assert_eq!((of(&text, "in 50ms"), of(&text, "in 30ms"), of(&text, "it is 51ms")), (1, 1, 1), "{text}");
}
