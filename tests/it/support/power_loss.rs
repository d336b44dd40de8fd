//! Simulates power loss: a run is recorded with `strace`, and its writes, syncs and renames are replayed
//! without some of those that were not synced yet.

use rand_mt::Mt64;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The guarantees of a file system for changes that were not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Model {
    /// Like ext4 with ordered data: names change in the order of the calls, and every sync writes all
    /// earlier changes of names. Unsynced data may be missing or torn.
    Ordered,
    /// Only the guarantees of POSIX: a name is on the disk after its folder is synced; before that, each
    /// change of a name may be missing.
    Strict,
}

type Inode = usize;

/// Entries of folders that change atomically.
type Names = Vec<(Inode, String, Option<Inode>)>;

#[derive(Clone, Debug)]
enum Call {
    Write { file: Inode, offset: usize, bytes: Vec<u8> },
    Resize { file: Inode, length: usize },
    Rename(Names),
    Sync(Inode),
}

#[derive(Clone, Debug)]
enum Node {
    File(Vec<u8>),
    Folder(BTreeMap<String, Inode>),
}

/// A tree of files in memory. The first node is the root.
#[derive(Clone, Debug)]
struct Tree(Vec<Node>);

/// All files by their path below the root; `None` is an empty folder.
pub(crate) type State = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The calls of a run that changed something below a folder.
pub(crate) struct Recording {
    before: Tree,
    calls: Vec<Call>,
}

const CALLS: &str = "open,openat,creat,lseek,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,\
     renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,writev,pwritev,truncate,fallocate";

/// Runs a command and records its changes below `root`; `None` if `strace` is missing or may not trace.
pub(crate) fn record(command: &Command, root: &Path) -> Option<Recording> {
    let before = Tree::read(root);
    let folder = command.get_current_dir().expect("a working folder");
    let trace = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-y", "-xx", "-s", "100000000", "-e", &format!("trace={CALLS}")])
        // Copies inside the kernel show no bytes, so these calls fail and programs read and write instead.
        .args(["-e", "inject=copy_file_range,sendfile,splice:error=ENOSYS", "-o"])
        .arg(trace.path())
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(folder);
    let output = match traced.output() {
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("PTRACE") => output,
        _ => {
            eprintln!("skipped: strace is missing or may not trace");
            return None;
        }
    };
    assert!(output.status.success(), "{output:?}");
    let trace = fs::read_to_string(trace.path()).expect("a trace");
    let mut recorder = Recorder {
        root: root.canonicalize().expect("the root"),
        working_folder: folder.canonicalize().expect("a working folder"),
        now: before.clone(),
        calls: Vec::new(),
        open: HashMap::new(),
    };
    whole_lines(&trace).iter().for_each(|line| recorder.see(line));
    // The replayed calls must give the actual result.
    assert_eq!(
        recorder.now.state(),
        Tree::read(&recorder.root).state(),
        "a call was not understood"
    );
    Some(Recording { before, calls: recorder.calls })
}

impl Recording {
    /// A possible state of the disk after a power loss during the run, or right after it.
    pub(crate) fn crash(&self, model: Model, random: &mut Mt64) -> State {
        let mut below = |n: usize| (random.next_u64() % n as u64) as usize;
        // One in eight is after the last call, when the output of the run must be true.
        let end = self.calls.len();
        let crash = if below(8) == 0 { end } else { below(end + 1) };
        let calls = &self.calls[..crash];
        let last_sync = calls.iter().rposition(|call| matches!(call, Call::Sync(_)));
        let ordered_names = last_sync.unwrap_or(0) + below(crash - last_sync.unwrap_or(0) + 1);
        let mode = below(3);
        let mut disk = self.before.clone();
        disk.0.extend((disk.0.len()..self.nodes()).map(|inode| self.empty(inode)));
        for (at, call) in calls.iter().enumerate() {
            let is_synced = |inodes: &[Inode]| {
                let later = &calls[at..];
                later
                    .iter()
                    .any(|call| matches!(call, Call::Sync(synced) if inodes.contains(synced)))
            };
            let names_are_ordered = matches!(model, Model::Ordered) && at < ordered_names;
            let mut survives = || match mode {
                0 => false,
                1 => true,
                _ => below(2) == 0,
            };
            match call {
                Call::Write { file, offset, bytes } => {
                    if is_synced(&[*file]) || survives() {
                        disk.write(*file, *offset, bytes);
                    } else if mode == 2 && below(2) == 0 {
                        // Torn write: only some of its sectors or pages.
                        let size = [512, 4096][below(2)];
                        for (sector, bytes) in bytes.chunks(size).enumerate() {
                            if below(2) == 0 {
                                disk.write(*file, offset + sector * size, bytes);
                            }
                        }
                    }
                }
                Call::Resize { file, length } => {
                    if is_synced(&[*file]) || names_are_ordered || survives() {
                        disk.resize(*file, *length);
                    }
                }
                Call::Rename(names) => {
                    let folders: Vec<Inode> = names.iter().map(|&(folder, ..)| folder).collect();
                    let is_kept = match model {
                        Model::Ordered => names_are_ordered,
                        Model::Strict => is_synced(&folders) || survives(),
                    };
                    if is_kept {
                        disk.rename(names);
                    }
                }
                Call::Sync(_) => {}
            }
        }
        disk.state()
    }

    fn nodes(&self) -> usize {
        let made = self.calls.iter().filter_map(|call| match call {
            Call::Write { file, .. } | Call::Resize { file, .. } => Some(*file),
            Call::Rename(names) => {
                names.iter().filter_map(|&(folder, _, to)| to.max(Some(folder))).max()
            }
            Call::Sync(inode) => Some(*inode),
        });
        made.max().map_or(0, |last| last + 1)
    }

    /// A new, empty file or folder.
    fn empty(&self, inode: Inode) -> Node {
        let is_folder = self.calls.iter().any(|call| match call {
            Call::Rename(names) => names.iter().any(|&(folder, ..)| folder == inode),
            _ => false,
        });
        if is_folder { Node::Folder(BTreeMap::new()) } else { Node::File(Vec::new()) }
    }
}

/// Writes a state to an empty folder.
pub(crate) fn write_state(state: &State, root: &Path) {
    for (path, file) in state {
        let path = root.join(path);
        match file {
            Some(bytes) => {
                fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                fs::write(path, bytes).expect("a file");
            }
            None => fs::create_dir_all(path).expect("a folder"),
        }
    }
}

impl Tree {
    fn read(root: &Path) -> Tree {
        fn add(tree: &mut Tree, path: &Path) -> Inode {
            let inode = tree.0.len();
            if path.is_dir() {
                tree.0.push(Node::Folder(BTreeMap::new()));
                for entry in fs::read_dir(path).expect("a folder") {
                    let entry = entry.expect("an entry");
                    let child = add(tree, &entry.path());
                    tree.rename(&vec![(inode, name_of(&entry.path()), Some(child))]);
                }
            } else {
                tree.0.push(Node::File(fs::read(path).expect("a file")));
            }
            inode
        }
        let mut tree = Tree(Vec::new());
        add(&mut tree, root);
        tree
    }

    fn write(&mut self, file: Inode, offset: usize, bytes: &[u8]) {
        let Node::File(content) = &mut self.0[file] else { panic!("a folder is written to") };
        content.resize(content.len().max(offset + bytes.len()), 0);
        content[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn resize(&mut self, file: Inode, length: usize) {
        let Node::File(content) = &mut self.0[file] else { panic!("a folder is resized") };
        content.resize(length, 0);
    }

    fn rename(&mut self, names: &Names) {
        for (folder, name, inode) in names {
            let Node::Folder(entries) = &mut self.0[*folder] else { panic!("{name} in a file") };
            match inode {
                Some(inode) => _ = entries.insert(name.clone(), *inode),
                None => _ = entries.remove(name),
            }
        }
    }

    fn child(&self, folder: Inode, name: &str) -> Option<Inode> {
        match &self.0[folder] {
            Node::Folder(_) if name == "." => Some(folder),
            Node::Folder(entries) => entries.get(name).copied(),
            Node::File(_) => None,
        }
    }

    fn state(&self) -> State {
        fn add(tree: &Tree, inode: Inode, path: PathBuf, state: &mut State) {
            match &tree.0[inode] {
                Node::File(content) => _ = state.insert(path, Some(content.clone())),
                Node::Folder(entries) => {
                    if entries.is_empty() {
                        state.insert(path.clone(), None);
                    }
                    for (name, &child) in entries {
                        add(tree, child, path.join(name), state);
                    }
                }
            }
        }
        let mut state = State::new();
        add(self, 0, PathBuf::new(), &mut state);
        state
    }
}

/// Follows a run call by call.
struct Recorder {
    root: PathBuf,
    working_folder: PathBuf,
    now: Tree,
    calls: Vec<Call>,
    /// The open files below the root, with the offset of the next write.
    open: HashMap<u64, (Inode, usize)>,
}

impl Recorder {
    fn see(&mut self, line: &str) {
        let Some((name, arguments, result)) = parts_of(line) else { return };
        let at = |place: usize| arguments.get(place).copied().unwrap_or_default();
        let number = |place: usize| {
            at(place).parse::<usize>().unwrap_or_else(|_| panic!("{name} {:?}", &arguments[2..]))
        };
        let bytes = |place: usize| bytes_of(at(place));
        match name {
            "open" | "creat" => panic!("{line:.200}"),
            "openat" => {
                let descriptor = leading_number(result);
                self.open.remove(&descriptor);
                let Some((folder, name)) = self.place(at(0), at(1)) else { return };
                let flags = at(2);
                let file = match self.now.child(folder, &name) {
                    Some(file) => file,
                    None if flags.contains("O_CREAT") => {
                        let file = self.add(Node::File(Vec::new()));
                        self.rename(vec![(folder, name, Some(file))]);
                        file
                    }
                    None => panic!("{line:.200}"),
                };
                if flags.contains("O_TRUNC") {
                    self.call(Call::Resize { file, length: 0 });
                }
                assert!(!flags.contains("O_APPEND") && !flags.contains("O_TMPFILE"), "{line:.200}");
                self.open.insert(descriptor, (file, 0));
            }
            "write" => {
                let descriptor = leading_number(at(0));
                if let Some(&(file, offset)) = self.open.get(&descriptor) {
                    let bytes = bytes(1)[..leading_number(result) as usize].to_vec();
                    self.open.insert(descriptor, (file, offset + bytes.len()));
                    self.call(Call::Write { file, offset, bytes });
                }
            }
            "pwrite64" => {
                if let Some(&(file, _)) = self.open.get(&leading_number(at(0))) {
                    let bytes = bytes(1)[..leading_number(result) as usize].to_vec();
                    self.call(Call::Write { file, offset: number(3), bytes });
                }
            }
            "lseek" => {
                if let Some((_, offset)) = self.open.get_mut(&leading_number(at(0))) {
                    *offset = leading_number(result) as usize;
                }
            }
            "ftruncate" => {
                if let Some(&(file, _)) = self.open.get(&leading_number(at(0))) {
                    self.call(Call::Resize { file, length: number(1) });
                }
            }
            "fsync" | "fdatasync" => {
                if let Some(&(inode, _)) = self.open.get(&leading_number(at(0))) {
                    self.call(Call::Sync(inode));
                }
            }
            "mkdir" => self.make_folder("", at(0)),
            "mkdirat" => self.make_folder(at(0), at(1)),
            "unlink" | "rmdir" => self.remove("", at(0)),
            "unlinkat" => self.remove(at(0), at(1)),
            "rename" => self.move_name(("", at(0)), ("", at(1)), ""),
            "renameat" => self.move_name((at(0), at(1)), (at(2), at(3)), ""),
            "renameat2" => self.move_name((at(0), at(1)), (at(2), at(3)), at(4)),
            "link" => self.link(("", at(0)), ("", at(1))),
            "linkat" => self.link((at(0), at(1)), (at(2), at(3))),
            _ => {
                // Not used so far; calls in other folders do not matter.
                assert!(!self.open.contains_key(&leading_number(at(0))), "{line:.200}");
            }
        }
    }

    fn call(&mut self, call: Call) {
        match &call {
            Call::Write { file, offset, bytes } => self.now.write(*file, *offset, bytes),
            Call::Resize { file, length } => self.now.resize(*file, *length),
            Call::Rename(names) => self.now.rename(names),
            Call::Sync(_) => {}
        }
        self.calls.push(call);
    }

    fn rename(&mut self, names: Names) {
        self.call(Call::Rename(names));
    }

    fn add(&mut self, node: Node) -> Inode {
        self.now.0.push(node);
        self.now.0.len() - 1
    }

    fn make_folder(&mut self, base: &str, path: &str) {
        if let Some((folder, name)) = self.place(base, path) {
            let made = self.add(Node::Folder(BTreeMap::new()));
            self.rename(vec![(folder, name, Some(made))]);
        }
    }

    fn remove(&mut self, base: &str, path: &str) {
        if let Some((folder, name)) = self.place(base, path) {
            self.rename(vec![(folder, name, None)]);
        }
    }

    fn move_name(&mut self, from: (&str, &str), to: (&str, &str), flags: &str) {
        let places = (self.place(from.0, from.1), self.place(to.0, to.1));
        let (Some((from, old)), Some((to, new))) = places else {
            assert!(places.0.is_none() && places.1.is_none(), "a move across the root");
            return;
        };
        let (moved, replaced) = (self.now.child(from, &old), self.now.child(to, &new));
        let back = if flags.contains("RENAME_EXCHANGE") { replaced } else { None };
        self.rename(vec![(to, new, moved), (from, old, back)]);
    }

    fn link(&mut self, from: (&str, &str), to: (&str, &str)) {
        let (Some((from, old)), Some((to, new))) =
            (self.place(from.0, from.1), self.place(to.0, to.1))
        else {
            return;
        };
        let file = self.now.child(from, &old);
        self.rename(vec![(to, new, file)]);
    }

    /// The folder and the name of a path below the root. `base` is an open folder, with its path as
    /// `strace` writes it after the number; without one, the path is relative to the working directory.
    fn place(&self, base: &str, path: &str) -> Option<(Inode, String)> {
        let path = PathBuf::from(String::from_utf8(bytes_of(path)).expect("UTF-8"));
        let path = match base.split_once('<') {
            Some((_, base)) => {
                PathBuf::from(String::from_utf8(bytes_of(base)).expect("UTF-8")).join(path)
            }
            None => self.working_folder.join(path),
        };
        let mut names = Vec::new();
        for part in path.strip_prefix(&self.root).ok()?.components() {
            match part {
                Component::Normal(name) => names.push(name.to_str().expect("UTF-8").to_owned()),
                Component::ParentDir => _ = names.pop()?,
                _ => {}
            }
        }
        let Some(name) = names.pop() else { return Some((0, ".".into())) };
        let folder = names.iter().try_fold(0, |folder, name| self.now.child(folder, name))?;
        Some((folder, name))
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a name").to_str().expect("UTF-8").to_owned()
}

/// Lines of calls, with interrupted ones joined.
fn whole_lines(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut lines = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(beginning) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread, beginning);
        } else if let Some((_, rest)) =
            call.strip_prefix("<... ").and_then(|c| c.split_once("resumed>"))
        {
            lines.push(format!("{}{rest}", begun.remove(thread).unwrap_or_default()));
        } else {
            lines.push(call.to_owned());
        }
    }
    lines
}

/// Name, arguments and result of a successful call.
fn parts_of(line: &str) -> Option<(&str, Vec<&str>, &str)> {
    let (call, result) = line.rsplit_once(" = ")?;
    let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
    let has_failed = result.starts_with('-') || result.starts_with('?');
    (!has_failed).then(|| (name, arguments.split(", ").map(str::trim).collect(), result))
}

fn leading_number(text: &str) -> u64 {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(u64::MAX)
}

/// Parses bytes written as `\x00`.
fn bytes_of(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|hex| u8::from_str_radix(&hex[..2], 16).expect("hex")).collect()
}
