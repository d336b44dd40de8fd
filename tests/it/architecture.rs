//! The rules of `docs/architecture.md` that the compiler does not check.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Libraries that only one or two modules may use, so that they are easy to replace.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("anstream", &["cli"]),
    ("anstyle", &["table"]),
    ("annotate_snippets", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["cli"]),
    ("csv", &["gamelog", "cli"]),
    ("flatbuffers", &["export"]),
    ("flate2", &["ingest"]),
    ("glob", &["cli"]),
    ("indicatif", &["cli"]),
    ("maud", &["report"]),
    ("ndarray_npy", &["export"]),
    ("parquet", &["export"]),
    ("plotters", &["report"]),
    ("rusqlite", &["cache"]),
    ("serde_saphyr", &["config"]),
    ("terminal_size", &["cli"]),
    ("zstd", &["cache", "ingest"]),
];

/// Modules without input and output.
const PURE: &[&str] = &["rules", "encode", "table"];

const MAX_LINES: usize = 500;
const MAX_FILES: usize = 15;

type Names = Vec<String>;

/// A file of `src`, except `main.rs` and files of unit tests.
struct Source {
    /// Path relative to `src`, such as `cache/blob.rs`.
    file: String,
    /// Module path, such as `["cache", "blob"]`; `["cache"]` for `cache/mod.rs`.
    module: Names,
    text: String,
}

impl Source {
    /// The text without comments and unit tests, which may use any module.
    fn code(&self) -> String {
        let before_tests = self.text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
        // The paths in `pub(in ...)` are not uses.
        lines.collect::<Vec<_>>().join("\n").replace("pub(in crate::", "pub(in ")
    }

    /// The module below `src` that this file belongs to.
    fn top_module(&self) -> &str {
        &self.module[0]
    }

    /// The paths of this crate that `code` refers to, as absolute paths.
    fn paths_in(&self, code: &str, children: &[&str]) -> Vec<Names> {
        let mut paths = Vec::new();
        let starts = ["crate", "self", "super"].into_iter().chain(children.iter().copied());
        for start in starts {
            for (at, _) in code.match_indices(&format!("{start}::")) {
                let before = code[..at].chars().next_back();
                if before.is_some_and(|c| is_word(c) || c == ':') {
                    continue;
                }
                let mut found = Vec::new();
                path_tree(&code[at..], &mut Vec::new(), &mut found);
                paths.extend(found.into_iter().map(|path| self.absolute(&path)));
            }
        }
        paths
    }

    fn absolute(&self, path: &[String]) -> Names {
        let mut absolute = self.module.clone();
        let mut rest = path;
        match rest[0].as_str() {
            "crate" => {
                absolute.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            _ => {}
        }
        while rest.first().is_some_and(|name| name == "super") {
            absolute.pop();
            rest = &rest[1..];
        }
        absolute.extend_from_slice(rest);
        absolute
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads the paths at the start of `text`, such as `a::{b, c::d as e}`, and returns what follows.
fn path_tree<'a>(mut text: &'a str, prefix: &mut Names, found: &mut Vec<Names>) -> &'a str {
    let depth = prefix.len();
    loop {
        text = text.trim_start();
        if let Some(mut items) = text.strip_prefix('{') {
            loop {
                items = path_tree(items, prefix, found).trim_start();
                match items.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => items = next,
                    Some(next) => items = next.trim_start(),
                    None => break,
                }
                if items.starts_with('}') {
                    break;
                }
            }
            text = items.strip_prefix('}').unwrap_or(items);
            break;
        }
        let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
        if end == 0 {
            found.push(prefix.clone());
            text = text.strip_prefix('*').unwrap_or(text);
            break;
        }
        if &text[..end] != "self" || prefix.is_empty() {
            prefix.push(text[..end].to_owned());
        }
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(next) => text = next,
            None => {
                found.push(prefix.clone());
                if let Some(renamed) = text.strip_prefix(" as ") {
                    text = &renamed[renamed.find(|c| !is_word(c)).unwrap_or(renamed.len())..];
                }
                break;
            }
        }
    }
    prefix.truncate(depth);
    text
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn children<'a>(parent: &Source, sources: &'a [Source]) -> Vec<&'a str> {
    let is_child = |source: &&Source| source.module.split_last().unwrap().1 == parent.module;
    sources.iter().filter(is_child).map(|child| child.module.last().unwrap().as_str()).collect()
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    files_below(&src, &mut files);
    files.sort();
    let mut sources = Vec::new();
    for path in files {
        let file = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        let mut module: Names =
            file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| last == "mod");
        if !["lib.rs", "main.rs"].contains(&file.as_str()) && module.last().unwrap() != "tests" {
            sources.push(Source { text: fs::read_to_string(&path).unwrap(), file, module });
        }
    }
    sources
}

/// The files that each file uses.
struct Imports {
    sources: Vec<Source>,
    /// The names that a file re-exports, with the original paths.
    re_exports: BTreeMap<Names, Names>,
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl Imports {
    fn read() -> Self {
        let sources = sources();
        let mut re_exports = BTreeMap::new();
        let mut paths_of_files = Vec::new();
        for source in &sources {
            let children = children(source, &sources);
            let mut paths = Vec::new();
            for statement in source.code().split(';') {
                // A re-export is not a use: files that use the name use the original file.
                let starts = ["pub use ", "pub(crate) use ", "pub(super) use "];
                let Some(tree) = starts.iter().find_map(|start| statement.split(start).nth(1))
                else {
                    paths.extend(source.paths_in(statement, &children));
                    continue;
                };
                for path in source.paths_in(tree, &children) {
                    let name = [source.module.as_slice(), &path[path.len() - 1..]].concat();
                    re_exports.insert(name, path);
                }
            }
            paths_of_files.push(paths);
        }
        let mut imports = Self { sources, re_exports, uses: BTreeMap::new() };
        for (at, paths) in paths_of_files.into_iter().enumerate() {
            let file = imports.sources[at].file.clone();
            let used = paths.iter().filter_map(|path| imports.file_of(path));
            let used = used.filter(|used| **used != file).cloned().collect();
            imports.uses.insert(file, used);
        }
        imports
    }

    /// The file that contains the item with this path.
    fn file_of(&self, path: &[String]) -> Option<&String> {
        for end in (1..=path.len()).rev() {
            if let Some(source) = self.sources.iter().find(|source| source.module == path[..end]) {
                return Some(&source.file);
            }
            if let Some(target) = self.re_exports.get(&path[..end]) {
                return self.file_of(target);
            }
        }
        None
    }

    /// The shortest import cycle through a file.
    fn cycle(&self, file: &str) -> Option<Vec<String>> {
        let mut reached = BTreeMap::new();
        let mut next = vec![file.to_owned()];
        while !next.is_empty() {
            for from in std::mem::take(&mut next) {
                for to in &self.uses[&from] {
                    if !reached.contains_key(to) {
                        reached.insert(to.clone(), from.clone());
                        next.push(to.clone());
                    }
                }
            }
        }
        let mut cycle = vec![file.to_owned()];
        loop {
            let before = reached.get(cycle.last()?)?.clone();
            cycle.push(before);
            if cycle.last()? == file {
                cycle.reverse();
                return Some(cycle);
            }
        }
    }
}

/// The modules of each row of the drawing, from top to bottom.
fn drawing() -> Vec<Names> {
    let page = read("docs/architecture.md");
    let rows = page.lines().filter(|line| line.starts_with('│'));
    rows.map(|row| row.replace('│', " ").split_whitespace().map(str::to_owned).collect()).collect()
}

/// The table of modules with the modules that each uses.
fn uses_of() -> BTreeMap<String, BTreeSet<String>> {
    fn names(cell: &str) -> Names {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }
    let page = read("docs/architecture.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| module |")).skip(2);
    let mut uses_of = BTreeMap::new();
    for row in table.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let [module, _, used] = cells[..] else { panic!("not three cells: {row}") };
        for module in names(module) {
            let twice = uses_of.insert(module, names(used).into_iter().collect());
            assert!(twice.is_none(), "twice in the table: {row}");
        }
    }
    uses_of
}

#[test]
fn modules_are_drawn() {
    let sources = sources();
    let modules: BTreeSet<&str> = sources.iter().map(Source::top_module).collect();
    let rows = drawing();
    let drawn: BTreeSet<&str> = rows.iter().flatten().map(String::as_str).collect();
    let table = uses_of();
    assert_eq!(drawn.len(), rows.iter().flatten().count(), "a module is drawn twice");
    assert_eq!(drawn, modules, "the drawing of docs/architecture.md");
    assert_eq!(table.keys().map(String::as_str).collect::<BTreeSet<_>>(), modules, "its table");
}

/// Each module uses exactly the modules in the table, and only modules that are drawn below it.
#[test]
fn no_upward_imports() {
    let rows = drawing();
    let row = |module: &str| rows.iter().position(|row| row.iter().any(|name| name == module));
    let uses_of = uses_of();
    for (module, used) in &uses_of {
        for name in used {
            assert!(row(name) > row(module), "{name} is not drawn below {module}, which uses it");
        }
    }
    let mut unused = uses_of.clone();
    for source in sources() {
        let module = source.top_module();
        for path in source.paths_in(&source.code(), &[]) {
            let Some(used) = path.first().filter(|name| uses_of.contains_key(*name)) else {
                continue;
            };
            unused.get_mut(module).unwrap().remove(used);
            assert!(
                used == module || uses_of[module].contains(used),
                "src/{} uses {used}, which the table of docs/architecture.md does not have",
                source.file
            );
        }
    }
    unused.retain(|_, names| !names.is_empty());
    assert!(
        unused.is_empty(),
        "the table of docs/architecture.md has uses that do not exist: {unused:?}"
    );
}

#[test]
fn no_import_cycles() {
    let imports = Imports::read();
    let edges: usize = imports.uses.values().map(BTreeSet::len).sum();
    assert!(edges > imports.sources.len(), "only {edges} imports found");
    for source in &imports.sources {
        if let Some(cycle) = imports.cycle(&source.file) {
            panic!("import cycle: {}", cycle.join(" → "));
        }
    }
}

#[test]
fn pure_modules_do_no_io() {
    for source in sources().iter().filter(|source| PURE.contains(&source.top_module())) {
        for path in ["std::fs", "std::io", "std::env", "std::net", "std::process"] {
            assert!(!source.code().contains(path), "src/{} uses {path}", source.file);
        }
    }
}

#[test]
fn libraries_stay_in_their_modules() {
    for source in sources() {
        let code = source.code();
        for (library, modules) in LIBRARIES {
            let uses = code.match_indices(&format!("{library}::")).any(|(at, _)| {
                !code[..at].chars().next_back().is_some_and(|c| is_word(c) || c == ':')
            });
            let allowed = modules.contains(&source.top_module());
            assert!(!uses || allowed, "src/{} uses {library}: {modules:?}", source.file);
        }
    }
}

/// Untrusted names are printed by one function, and untrusted files opened by another.
#[test]
fn names_and_files_of_others() {
    const OWN_FILES: [&str; 5] = [
        "platform.rs",
        "memory.rs",
        "cache/rebuild.rs",
        "export/writers/npy.rs",
        "export/publish.rs",
    ];
    for source in sources() {
        let (file, code) = (&source.file, source.code());
        assert!(
            !code.contains(".display()"),
            "src/{file} prints a path as it is: see words::shown"
        );
        for call in ["fs::read(", "fs::read_to_string(", "File::open("] {
            let is_own = OWN_FILES.contains(&file.as_str());
            assert!(
                !code.contains(call) || is_own,
                "src/{file} uses {call}: see platform::open_file"
            );
        }
    }
}

/// A command that messages advise names its cache: there is one function that writes it.
#[test]
fn advised_commands_are_made_in_one_place() {
    for source in sources() {
        for command in ["ingest", "export", "status", "verify", "inspect", "report"] {
            let (file, written) = (&source.file, format!("`prep {command} "));
            assert!(!source.code().contains(&written), "src/{file}: {written}: see words::advised");
        }
    }
}

#[test]
fn folders_are_small() {
    let mut files_of = BTreeMap::<_, usize>::new();
    for source in sources() {
        *files_of.entry(Path::new(&source.file).parent().unwrap().to_owned()).or_default() += 1;
    }
    for (folder, files) in files_of {
        assert!(files <= MAX_FILES, "src/{} has {files} files", folder.display());
    }
}

#[test]
fn files_are_short() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= MAX_LINES, "src/{} has {lines} lines", source.file);
    }
}
