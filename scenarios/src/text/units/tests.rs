//! Claims about all units at once.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use sim_core::random::Probability as Ratio;
use sim_core::{NodeId, Span};

use super::*;

fn canonical<T: FromStr<Err = UnitError> + Display>(text: &str) -> String {
    text.parse::<T>().map_or_else(|error| error.to_string(), |value| value.to_string())
}

#[test]
fn quantities_print_their_canonical_text() {
    assert_eq!(canonical::<Time>("1500us"), "1.5ms");
    assert_eq!(canonical::<Time>("0h"), "0s");
    assert_eq!(canonical::<SignedTime>("-20ms"), "-20ms");
    assert_eq!(canonical::<TimeRange>("150ms..0.3s"), "150ms..300ms");
    assert_eq!(canonical::<TimeRange>("5ms..5ms"), "5ms");
    assert_eq!(canonical::<Size>("4096B"), "4KiB");
    assert_eq!(canonical::<Size>("1.5KiB"), "1536B");
    assert_eq!(canonical::<Size>("0GiB"), "0B");
    assert_eq!(canonical::<Bandwidth>("10240KiB/s"), "10MiB/s");
    assert_eq!(canonical::<Rate>("0.10/s"), "0.1/s");
    assert_eq!(canonical::<Rate>("1/ms"), "1000/s");
    assert_eq!(canonical::<Rate>("1/h"), "1/h");
    assert_eq!(canonical::<Ppm>("+200ppm"), "200ppm");
    assert_eq!(canonical::<Probability>("0.050"), "0.05");
    assert_eq!(canonical::<NodeList>("n3,n1"), "n3, n1");
    assert_eq!(canonical::<SeedRange>("0..100"), "0..100");
}

#[test]
fn errors_say_what_to_write() {
    let hint = |text: &str| text.parse::<Time>().unwrap_err().hint;
    assert_eq!(hint("150"), "write `\"150ms\"`");
    assert_eq!(hint("2sec"), "write `\"2s\"`");
    assert_eq!(hint("2µs"), "write `\"2us\"`");
    assert_eq!(hint("2min"), "write `\"2m\"`");
    assert_eq!("4kb".parse::<Size>().unwrap_err().hint, "write `\"4KiB\"`");
    assert_eq!("150..300ms".parse::<TimeRange>().unwrap_err().hint, "write `\"150ms\"`");
    assert_eq!("3ms..1ms".parse::<TimeRange>().unwrap_err().hint, "write `\"1ms..3ms\"`");
    assert_eq!("5%".parse::<Probability>().unwrap_err().hint, "write `0.05`");
    assert_eq!("0".parse::<NodeName>().unwrap_err().hint, "write `\"n1\"`");
    assert_eq!("node7".parse::<NodeName>().unwrap_err().hint, "write `\"n7\"`");
    assert_eq!("7".parse::<SeedRange>().unwrap_err().hint, "write `\"7..8\"`");
}

#[test]
fn what_cannot_be_held_exactly_is_refused() {
    for text in ["0.5ns", "1e3ms", "-1ms", "1 ms", "", ".5s", "1_000ms", "99999999999h", "ms"] {
        assert!(text.parse::<Time>().is_err(), "`{text}` is not a duration");
    }
    for text in ["1.01", "-0.1", "0.0000000000000000001", "NaN", "inf"] {
        assert!(text.parse::<Probability>().is_err(), "`{text}` is not a probability");
    }
    for text in ["n0", "n01", "c1", "n-1", "n+1", "n4294967296", "n"] {
        assert!(text.parse::<NodeName>().is_err(), "`{text}` is not a node");
    }
    assert!("n1, n1".parse::<NodeList>().is_err());
    assert!("1000000ppm".parse::<Ppm>().is_err());
    assert!("100..0".parse::<SeedRange>().is_err());
}

fn ron<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    ron::from_str(text).map_err(|error| error.code.to_string())
}

#[test]
fn files_hold_quantities_as_text_and_probabilities_also_as_numbers() {
    assert_eq!(ron::<Time>("\"1.5ms\"").unwrap().span(), Span::micros(1_500));
    assert!(ron::<Time>("150").unwrap_err().contains("`150` has no unit"));
    assert!(ron::<Time>("1.5").unwrap_err().contains("hint: write `\"1.5ms\"`"));
    for text in ["0.05", "\"0.05\"", "5e-2"] {
        let probability = ron::<Probability>(text).unwrap();
        assert_eq!(Ok(probability.probability()), Ratio::from_ratio(1, 20), "{text}");
    }
    assert_eq!(ron::<Probability>("1").unwrap().to_string(), "1");
    assert_eq!(ron::<NodeList>("[\"n2\", \"n1\"]").unwrap().nodes(), [NodeId::new(1), NodeId::new(0)]);
    assert!(ron::<NodeList>("[\"n2\", \"n2\"]").unwrap_err().contains("listed twice"));
}

#[test]
fn schemas_describe_the_text() {
    let schema = schemars::schema_for!(Time);
    assert_eq!(schema.get("type").and_then(|kind| kind.as_str()), Some("string"));
    assert!(schemars::schema_for!(NodeList).get("oneOf").is_some());
}

/// What is printed reads back as the same value, by itself and through a file.
fn round_trips<T>(text: &str)
where
    T: FromStr<Err = UnitError> + Display + Debug + PartialEq + DeserializeOwned + serde::Serialize,
{
    let value: T = text.parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value.to_string().parse::<T>().as_ref(), Ok(&value), "through its own text");
    let file = ron::to_string(&value).unwrap();
    assert_eq!(ron::<T>(&file).as_ref(), Ok(&value), "through the file `{file}`");
}

proptest! {
    #[test]
    fn every_quantity_round_trips(
        nanos in any::<i64>(), other in 0..1_u64 << 40, bytes in any::<u64>(), node in 0..NodeId::new(5).raw(),
        whole in 0..1_000_000_u64, decimals in 0..1_000_000_u32, unit in "ns|us|ms|s|m|h", parts in -999_999..=999_999,
    ) {
        let nanos_up = nanos.unsigned_abs();
        round_trips::<Time>(&format!("{nanos_up}ns"));
        round_trips::<SignedTime>(&format!("{nanos}ns"));
        round_trips::<TimeRange>(&format!("{other}ns..{}ns", other + nanos_up));
        round_trips::<Size>(&format!("{bytes}B"));
        round_trips::<Bandwidth>(&format!("{bytes}B/s"));
        round_trips::<Rate>(&format!("{whole}.{decimals:06}/{unit}"));
        round_trips::<Ppm>(&format!("{parts}ppm"));
        round_trips::<Probability>(&format!("0.{bytes:018}").chars().take(20).collect::<String>());
        round_trips::<NodeList>(&format!("n{}, n{}", node + 1, node + 2));
        round_trips::<ClientName>(&format!("c{}", node + 1));
        round_trips::<SeedRange>(&format!("{other}..{bytes}", bytes = other.saturating_add(bytes)));
    }

    #[test]
    fn any_number_a_person_writes_becomes_its_exact_ratio(digits in 0..=1_000_000_000_u64) {
        let text = format!("{}.{:09}", digits / 1_000_000_000, digits % 1_000_000_000);
        let probability = ron::<Probability>(&text).unwrap();
        prop_assert_eq!(Ok(probability.probability()), Ratio::from_ratio(digits, 1_000_000_000));
    }

    #[test]
    fn arbitrary_text_is_a_value_or_an_error(text in "\\PC{0,24}|[0-9.a-z/%-]{0,12}") {
        let _ = (text.parse::<Time>(), text.parse::<TimeRange>(), text.parse::<Rate>(), text.parse::<Ppm>());
        let _ = (text.parse::<Size>(), text.parse::<Probability>(), text.parse::<NodeList>());
        let _ = (text.parse::<SeedRange>(), text.parse::<SignedTime>(), text.parse::<ClientName>());
    }
}
