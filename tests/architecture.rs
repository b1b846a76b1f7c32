//! Holds `ARCHITECTURE.md` against the tree, the arrows between packages against their manifests, and each extension
//! against its table: what is on one side only is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use scenarios::{ProtocolTable, workload};
use serde::Deserialize;
use sim_core::fault;

/// Files may have so many lines.
const LINES_MAX: usize = 600;

/// Files that may be longer, with what they may have. A file that is short again leaves the list.
const LONG_FILES: &[(&str, usize)] = &[];

/// All that the engine may depend on.
const ENGINE_DEPENDENCIES: [&str; 7] =
    ["hashbrown", "libm", "petgraph", "rand_chacha", "serde", "thiserror", "tracing"];

// ----- the map -----

#[test]
fn every_folder_is_on_the_map_and_the_map_has_no_other() {
    let mapped: BTreeSet<String> = rows("folder").into_iter().map(|row| name(&row[0])).collect();
    assert_same(&mapped, &module_folders(), "on the map of `ARCHITECTURE.md`", "in the tree");
}

#[test]
fn every_path_that_the_page_names_exists() {
    let page = architecture();
    let named =
        quoted(&page).into_iter().filter(|text| text.contains('/') && !text.contains(['<', ' ', '*']));
    let missing: Vec<String> = named.filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "`ARCHITECTURE.md` names paths that don't exist: {missing:?}");
}

#[test]
fn files_are_short_unless_they_are_listed() {
    for path in sources(&root()) {
        let lines = read(&path).lines().count();
        let shown = relative(&path);
        match LONG_FILES.iter().find(|(listed, _)| *listed == shown) {
            None => {
                assert!(lines <= LINES_MAX, "{shown} has {lines} lines, and may have {LINES_MAX}: split it");
            }
            Some((_, limit)) => assert!(
                (LINES_MAX + 1..=*limit).contains(&lines),
                "{shown} has {lines} lines: up to {LINES_MAX} take it off `LONG_FILES`, above {limit} split it"
            ),
        }
    }
}

// ----- determinism -----

/// What the packages below the command line must not call: each group differs from machine to machine, or from run to run.
const BANNED_METHODS: &[(&str, &[&str])] = &[
    (
        "std::thread",
        &["spawn", "scope", "Builder::new", "Builder::spawn", "Builder::spawn_scoped", "sleep", "current"],
    ),
    ("std::env", &["var", "var_os", "vars", "vars_os", "temp_dir", "current_dir"]),
    ("std::process", &["exit", "abort", "id"]),
    ("f64", &INEXACT),
    ("f32", &INEXACT),
];

/// Functions whose precision the standard library leaves to the platform. Square roots are exact everywhere.
const INEXACT: [&str; 26] = [
    "powi", "powf", "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "cbrt", "hypot", "sin",
    "cos", "tan", "sin_cos", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
    "atanh",
];

/// What they must not hold.
const BANNED_TYPES: &[(&str, &[&str])] = &[
    ("std::time", &["Instant", "SystemTime"]),
    ("std::collections", &["HashMap", "HashSet"]),
    ("std::hash", &["RandomState", "DefaultHasher"]),
    ("std::thread", &["JoinHandle", "ScopedJoinHandle", "Scope", "Builder", "LocalKey"]),
];

/// The types of statics there: each is plain data, which nothing can change.
const CONSTANT_TYPES: [&str; 1] = ["About"];

#[test]
fn clippy_forbids_what_would_break_determinism() {
    let rules = read(&root().join("clippy.toml"));
    let section = |name: &str| -> BTreeSet<String> {
        let (_, rest) =
            rules.split_once(&format!("{name} = [")).unwrap_or_else(|| panic!("{name} is missing"));
        let entries = rest.split_once("\n]").expect("the list ends").0.split("path = \"").skip(1);
        entries.filter_map(|entry| entry.split_once('"')).map(|(path, _)| path.to_owned()).collect()
    };
    for (name, groups) in [("disallowed-methods", BANNED_METHODS), ("disallowed-types", BANNED_TYPES)] {
        let banned = section(name);
        let wanted =
            groups.iter().flat_map(|(path, items)| items.iter().map(move |item| format!("{path}::{item}")));
        let missing: Vec<String> = wanted.filter(|path| !banned.contains(path)).collect();
        assert!(missing.is_empty(), "`{name}` of clippy.toml lacks {missing:?}");
    }
    assert!(section("disallowed-macros").contains("std::thread_local"), "{rules}");
}

/// What outlives a world, and could carry something from one run to the next.
#[test]
fn no_package_below_the_command_line_has_a_static_that_can_change() {
    let mut seen = 0;
    for folder in ["sim-core/src", "protocols/src", "scenarios/src"] {
        for path in sources(&root().join(folder)) {
            for line in read(&path).lines() {
                assert!(!line.contains("thread_local!"), "{}: {line}", relative(&path));
                let Some(declared) = type_of_static(line) else { continue };
                let is_constant = CONSTANT_TYPES.contains(&declared);
                assert!(
                    is_constant,
                    "{}: {line}\nhint: a static of type `{declared}` may change",
                    relative(&path)
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "the statics were not found");
}

/// The type that a line declares a static to have.
fn type_of_static(line: &str) -> Option<&str> {
    let bare = line.trim_start();
    let bare = bare
        .strip_prefix("pub ")
        .or_else(|| Some(bare.strip_prefix("pub(")?.split_once(") ")?.1))
        .unwrap_or(bare);
    let (_, rest) = bare.strip_prefix("static ")?.split_once(':')?;
    Some(rest.split('=').next().unwrap_or_default().trim())
}

#[test]
fn statics_are_told_by_their_type() {
    assert_eq!(type_of_static("static COUNT: AtomicU64 = AtomicU64::new(0);"), Some("AtomicU64"));
    assert_eq!(type_of_static("    pub(crate) static mut LAST: u64 = 0;"), Some("u64"));
    assert_eq!(type_of_static("pub static ABOUT: About = About {"), Some("About"));
    assert_eq!(type_of_static("fn name() -> &'static str {"), None);
}

// ----- the arrows -----

#[test]
fn packages_use_only_what_the_page_allows() {
    let arrows = arrows();
    let packages: BTreeSet<String> = packages().into_iter().map(|package| package.name).collect();
    let listed: BTreeSet<String> = arrows.iter().map(|(package, _)| package.clone()).collect();
    assert_same(&listed, &packages, "in the table of packages", "in the workspace");
    for package in self::packages() {
        let allowed = arrows.iter().find(|(name, _)| *name == package.name).map(|(_, uses)| uses);
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let is_allowed = allowed.is_some_and(|uses| uses.contains(&dependency.name));
            assert!(is_allowed, "{} must not depend on {}", package.name, dependency.name);
        }
    }
}

#[test]
fn no_arrow_points_up() {
    let arrows = arrows();
    let order: Vec<&String> = arrows.iter().map(|(package, _)| package).collect();
    for (place, (package, uses)) in arrows.iter().enumerate() {
        for used in uses {
            assert!(
                order[place + 1..].contains(&used),
                "{package} uses {used}, which does not stand below it"
            );
        }
    }
}

#[test]
fn every_dependency_has_its_line() {
    let mut listed = BTreeSet::new();
    for row in rows("dependency") {
        let dependency = name(&row[0]);
        listed.extend(quoted(&row[1]).into_iter().map(|package| format!("{package}: {dependency}")));
        listed.extend(quoted(&row[2]).into_iter().map(|package| format!("{package}, tests: {dependency}")));
        assert!(!row[3].is_empty(), "`ARCHITECTURE.md` does not say what {dependency} is for");
    }
    let mut used = BTreeSet::new();
    for package in packages() {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_none()) {
            let tests = if dependency.is_for_tests() { ", tests" } else { "" };
            used.insert(format!("{}{tests}: {}", package.name, dependency.name));
        }
    }
    assert_same(&listed, &used, "in the table of dependencies", "in the manifests");
}

#[test]
fn the_engine_keeps_to_its_seven_dependencies() {
    let engine =
        packages().into_iter().find(|package| package.name == "sim-core").expect("there is an engine");
    let used = engine.dependencies.into_iter().filter(|dependency| !dependency.is_for_tests());
    let used: BTreeSet<String> = used.map(|dependency| dependency.name).collect();
    let allowed = ENGINE_DEPENDENCIES.map(str::to_owned).into();
    assert_same(&allowed, &used, "allowed for `sim-core`", "in its manifest");
}

// ----- extensions: one place and one line -----

#[test]
fn every_protocol_has_a_lecture_and_a_line_in_the_table() {
    let mut folders: BTreeSet<String> =
        subfolders(&root().join("protocols/src")).iter().map(|path| stem(path)).collect();
    folders.retain(|folder| !["clocks", "detector", "replicated", "testing"].contains(&folder.as_str()));
    let table: BTreeSet<String> = ProtocolTable::builtin().names().into_iter().collect();
    assert_same(&folders, &table, "in `protocols/src/`", "in the table of protocols");
    for folder in folders {
        let module = root().join(format!("protocols/src/{folder}/mod.rs"));
        assert!(read(&module).starts_with("//! "), "{} opens without a lecture", relative(&module));
    }
}

#[test]
fn every_invariant_with_a_file_is_checked() {
    for protocol in ProtocolTable::builtin().iter().map(scenarios::protocol::ProtocolKind::about) {
        let folder = root().join(format!("protocols/src/{}/invariants", protocol.name));
        if !folder.is_dir() {
            continue;
        }
        let files = with_text(&folder, "Invariant<");
        let checked = protocol.invariants.iter().map(|invariant| snake(invariant.name)).collect();
        assert_same(&files, &checked, &format!("in {}", relative(&folder)), "in its `all()`");
    }
}

#[test]
fn every_kind_of_fault_is_in_the_table() {
    let files = with_text(&root().join("sim-core/src/fault"), "impl FaultKind for");
    let table = fault::KINDS.iter().map(|kind| snake(kind.about().name)).collect();
    assert_same(&files, &table, "in `sim-core/src/fault/`", "in the table of faults");
}

#[test]
fn every_workload_is_in_the_table() {
    let files = with_text(&root().join("scenarios/src/workload"), "ABOUT: WorkloadAbout");
    let table = workload::KINDS.iter().map(|about| snake(about.name)).collect();
    assert_same(&files, &table, "in `scenarios/src/workload/`", "in the table of workloads");
}

#[test]
fn every_scenario_of_the_library_says_what_it_shows() {
    for entry in scenarios::library::all() {
        assert!(entry.text.starts_with("// "), "{} opens without a comment", entry.path);
        assert!(entry.text.contains("// Look at: "), "{} does not say what to look at", entry.path);
    }
}

// ----- the page -----

fn architecture() -> String {
    read(&root().join("ARCHITECTURE.md"))
}

/// The rows of all tables whose first column has this header, cell by cell.
fn rows(header: &str) -> Vec<Vec<String>> {
    let page = architecture();
    let start = format!("| {header} |");
    let mut lines = page.lines();
    let mut rows = Vec::new();
    while lines.any(|line| line.starts_with(&start)) {
        let table = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        rows.extend(
            table.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()),
        );
    }
    assert!(!rows.is_empty(), "`ARCHITECTURE.md` has no table of which the first column is `{header}`");
    rows
}

/// Each package with those it may use, from above to below.
fn arrows() -> Vec<(String, Vec<String>)> {
    rows("package").into_iter().map(|row| (name(&row[0]), quoted(&row[2]))).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The one thing that a cell has between backticks, without the slash at its end.
fn name(cell: &str) -> String {
    let [name] = &quoted(cell)[..] else { panic!("one name between backticks should stand in {cell:?}") };
    name.trim_end_matches('/').to_owned()
}

// ----- the manifests -----

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or none for what the package itself uses.
    kind: Option<String>,
    /// Where it lies, if it is of this workspace.
    path: Option<String>,
}

impl Dependency {
    fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

fn packages() -> Vec<Package> {
    let arguments = ["metadata", "--no-deps", "--format-version=1", "--offline"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output();
    let output = output.expect("cargo runs, as it has built this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("cargo prints its own format");
    metadata.packages
}

// ----- the tree -----

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path below the root, with `/` between its parts.
fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("the path is below the root");
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("the path has a name").to_string_lossy().into_owned()
}

/// A name in kebab-case or of a type, as files are named: `disk_full`.
fn snake(name: &str) -> String {
    let mut file = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !file.is_empty() {
            file.push('_');
        }
        file.push(if letter == '-' { '_' } else { letter.to_ascii_lowercase() });
    }
    file
}

/// What lies in a folder, in order of name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    paths
}

/// The folders in a folder that have any file, as git knows no others; without what git ignores and hides.
fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let is_ours = |path: &PathBuf| {
        let name = stem(path);
        path.is_dir() && name != "target" && name != ".git" && has_file(path)
    };
    entries(folder).into_iter().filter(is_ours).collect()
}

fn has_file(folder: &Path) -> bool {
    entries(folder).iter().any(|path| path.is_file() || (path.is_dir() && has_file(path)))
}

/// The folders at the top, and those right below the `src` of each package.
fn module_folders() -> BTreeSet<String> {
    let mut sources = vec![root().join("src")];
    sources.extend(subfolders(&root()).into_iter().map(|top| top.join("src")));
    let crates = sources
        .into_iter()
        .filter(|source| source.parent().is_some_and(|top| top.join("Cargo.toml").is_file()));
    let modules = crates.filter(|source| source.is_dir()).flat_map(|source| subfolders(&source));
    let is_shown = |path: &PathBuf| !stem(path).starts_with('.') || stem(path) == ".ci";
    let top = subfolders(&root()).into_iter().filter(is_shown);
    top.chain(modules).map(|path| relative(&path)).collect()
}

/// All Rust files in and below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let files =
        entries(folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    files.chain(subfolders(folder).iter().flat_map(|folder| sources(folder))).collect()
}

/// The stems of the Rust files right in a folder that contain a text and are not tables themselves.
fn with_text(folder: &Path, text: &str) -> BTreeSet<String> {
    let files =
        entries(folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let files = files.filter(|path| stem(path) != "mod" && read(path).contains(text));
    files.map(|path| stem(&path)).collect()
}

/// Two sets should be equal; names what only one of them has.
fn assert_same(left: &BTreeSet<String>, right: &BTreeSet<String>, left_place: &str, right_place: &str) {
    let only_left: Vec<_> = left.difference(right).collect();
    let only_right: Vec<_> = right.difference(left).collect();
    assert!(
        only_left.is_empty() && only_right.is_empty(),
        "only {left_place}: {only_left:?}\nonly {right_place}: {only_right:?}"
    );
}
