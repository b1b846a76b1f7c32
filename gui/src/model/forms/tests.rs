//! Forms of the whole library.

use scenarios::library;

use super::*;

fn loaded(name: &str, set: &[&str]) -> Loaded {
    let entry = library::find(name).expect("the library has it");
    let set: Vec<Override> = set.iter().map(|text| Override::parse(text).expect("an override")).collect();
    scenarios::load(entry.path, entry.text.as_bytes(), &set, &ProtocolTable::builtin()).expect("it is right")
}

fn form(name: &str, set: &[&str]) -> Form {
    Form::new(&loaded(name, set), &ProtocolTable::builtin())
}

/// The field at a path, wherever it lies.
fn at<'a>(fields: &'a mut [Field], path: &str) -> Option<&'a mut Field> {
    for field in fields {
        if field.path == path && !matches!(field.kind, Kind::Optional { .. }) {
            return Some(field);
        }
        let found = match &mut field.kind {
            Kind::Group(fields) => at(fields, path),
            Kind::Optional { inner, .. } => at(std::slice::from_mut(inner.as_mut()), path),
            Kind::Choice { variants, chosen } => {
                variants[*chosen].body.as_mut().and_then(|body| at(std::slice::from_mut(body.as_mut()), path))
            }
            Kind::Switch(_) | Kind::Line { .. } | Kind::Notation(_) => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn write(form: &mut Form, path: &str, written: &str) {
    let field = at(&mut form.fields, path).unwrap_or_else(|| panic!("no field `{path}`"));
    match &mut field.kind {
        Kind::Line { text, .. } | Kind::Notation(text) => written.clone_into(text),
        Kind::Switch(is_on) => *is_on = written == "true",
        Kind::Choice { variants, chosen } => {
            let is_it = |variant: &Variant| variant.name == written;
            *chosen = variants.iter().position(is_it).unwrap_or_else(|| panic!("no variant `{written}`"));
        }
        other => panic!("`{path}` is no leaf: {other:?}"),
    }
}

fn turn_on(form: &mut Form, path: &str) {
    let mut leaves = form.leaves_mut();
    let field = leaves.iter_mut().find(|field| field.path == path).expect("it is there");
    let Kind::Optional { is_there, .. } = &mut field.kind else { panic!("{field:?}") };
    *is_there = true;
}

fn texts(form: &Form) -> Vec<String> {
    form.overrides().expect("they are overrides").iter().map(ToString::to_string).collect()
}

#[test]
fn the_form_of_every_scenario_unchanged_gives_no_overrides() {
    for entry in library::all() {
        let form = form(entry.name, &[]);
        assert_eq!((texts(&form), form.changes()), (Vec::new(), 0), "{}", entry.name);
    }
}

#[test]
fn every_parameter_has_a_help_of_its_own() {
    let mut form = form("raft/random-swarm", &[]);
    for field in form.leaves_mut() {
        assert!(!field.help.is_empty(), "{}", field.path);
    }
}

/// What is shown is what is meant: each field, set to what is filled in, is the same scenario.
#[test]
fn a_field_that_is_set_to_what_it_shows_changes_nothing() {
    let table = ProtocolTable::builtin();
    for entry in library::all() {
        let loaded = loaded(entry.name, &[]);
        // What is not there has no notation.
        for field in Form::new(&loaded, &table).leaves_mut().iter().filter(|field| field.notation() != "None")
        {
            let set = Override::parse(&field.assignment()).expect("it is an override");
            let again = loaded.reloaded(std::slice::from_ref(&set), &table);
            let again = again.unwrap_or_else(|error| panic!("{}: {set}: {error}", entry.name));
            assert_eq!(again.scenario, loaded.scenario, "{}: {set}", entry.name);
        }
    }
}

#[test]
fn what_is_changed_is_an_override_and_can_be_put_back() {
    let mut form = form("raft/steady", &[]);
    write(&mut form, "nodes", "7");
    write(&mut form, "protocol.heartbeat", "30ms");
    write(&mut form, "protocol.pre_vote", "true");
    write(&mut form, "ties", "Shuffled");
    let mut set = texts(&form);
    set.sort();
    assert_eq!(set, ["nodes=7", "protocol.heartbeat=\"30ms\"", "protocol.pre_vote=true", "ties=Shuffled"]);
    assert_eq!(form.changes(), 4);
    form.put_back();
    assert_eq!((texts(&form), form.changes()), (Vec::new(), 0));
}

#[test]
fn what_overrides_have_set_already_is_changed_against_the_file() {
    let mut form = form("raft/steady", &["nodes=7"]);
    assert_eq!(texts(&form), ["nodes=7"]);
    form.put_back();
    let nodes = at(&mut form.fields, "nodes").expect("it is there");
    assert_eq!(nodes.notation(), "5");
}

#[test]
fn an_optional_part_that_is_turned_on_begins_with_something_that_can_be_loaded() {
    let loaded = loaded("raft/steady", &[]);
    let table = ProtocolTable::builtin();
    let count = Form::new(&loaded, &table).leaves_mut().len();
    for place in 0..count {
        let mut form = Form::new(&loaded, &table);
        let mut leaves = form.leaves_mut();
        let Kind::Optional { is_there, .. } = &mut leaves[place].kind else { continue };
        *is_there = true;
        let path = leaves[place].path.clone();
        let again = loaded.reloaded(&form.overrides().expect("they are overrides"), &table);
        // Some go only together with others, or need a name that nobody can guess: that is said of this field.
        if let Err(error) = again {
            assert_eq!(field_of(&error), Some(path.as_str()), "{error}");
        }
    }
}

#[test]
fn a_choice_with_fields_is_set_as_a_whole_and_a_protocol_field_by_field() {
    let table = ProtocolTable::builtin();
    let loaded = loaded("raft/steady", &[]);
    let mut form = Form::new(&loaded, &table);
    write(&mut form, "topology", "Grid");
    write(&mut form, "topology.columns", "2");
    assert_eq!(texts(&form), ["topology=Grid(columns: 2)"]);
    write(&mut form, "protocol", "Paxos");
    write(&mut form, "protocol.heartbeat", "20ms");
    assert!(texts(&form).contains(&"protocol=Paxos(heartbeat: \"20ms\")".to_owned()), "{:?}", texts(&form));
    let again = loaded.reloaded(&form.overrides().expect("they are overrides"), &table).expect("it is right");
    assert_eq!(again.scenario.protocol.name(), "paxos");
}

#[test]
fn a_part_that_the_file_does_not_have_is_set_with_what_is_around_it() {
    let table = ProtocolTable::builtin();
    let loaded = loaded("echo/hello", &[]);
    let mut form = Form::new(&loaded, &table);
    turn_on(&mut form, "faults.random");
    write(&mut form, "faults.random.gap", "2s");
    assert_eq!(texts(&form), ["faults.random=(gap: \"2s\")"]);
    let again = loaded.reloaded(&form.overrides().expect("they are overrides"), &table).expect("it is right");
    assert!(again.scenario.faults.random.is_some());
}

#[test]
fn an_error_knows_its_field() {
    let table = ProtocolTable::builtin();
    let loaded = loaded("raft/steady", &[]);
    for (path, written) in [("protocol.heartbeat", "fast"), ("nodes", "0"), ("network.latency", "a year")] {
        let mut form = Form::new(&loaded, &table);
        if let Some(Kind::Optional { is_there, .. }) =
            form.leaves_mut().into_iter().find(|field| field.path == path).map(|field| &mut field.kind)
        {
            *is_there = true;
        }
        write(&mut form, path, written);
        let error = loaded.reloaded(&form.overrides().expect("they are overrides"), &table).unwrap_err();
        assert_eq!(field_of(&error), Some(path), "{error}");
    }
}
