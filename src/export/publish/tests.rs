//! Tests of publishing to temporary folders.

use super::error::listed;
use super::*;
use crate::progress::Silent;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A folder that contains the target `processed`.
fn parent() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("processed");
    (parent, target)
}

/// Writes an export of one array and a manifest that lists it.
fn fill(folder: &Path, array: &str) {
    fs::write(folder.join("X_train.npy"), array).unwrap();
    let manifest = include_str!("../../../tests/data/manifest_1.json");
    fs::write(folder.join("manifest.json"), manifest).unwrap();
}

fn staged(target: &Path, array: &str) -> Staging {
    let staging = Staging::create(target).unwrap();
    fill(&staging.path(), array);
    staging
}

fn array_in(folder: &Path) -> String {
    fs::read_to_string(folder.join("X_train.npy")).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn no_exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::InvalidInput.into())
}

#[test]
fn first_export_creates_parents() {
    let (parent, _) = parent();
    let target = parent.path().join("data/processed");
    check_replaceable(&target).unwrap();
    assert!(names_in(parent.path()).is_empty(), "the check made something");
    drop(staged(&target, "not published"));
    fs::create_dir(&target).unwrap();
    staged(&target, "in an empty folder").publish(&Silent).unwrap();
    fs::remove_dir_all(&target).unwrap();
    staged(&target, "new").publish(&Silent).unwrap();
    assert_eq!(array_in(&target), "new");
    assert_eq!(names_in(&parent.path().join("data")), ["processed"]);
    assert_eq!(names_in(&target), ["X_train.npy", "manifest.json"]);
}

#[test]
fn replaced_with_and_without_exchange() {
    for exchange in [exchange_names, no_exchange] {
        let (parent, target) = parent();
        staged(&target, "old").publish(&Silent).unwrap();
        drop(staged(&target, "not published"));
        assert_eq!(names_in(parent.path()), ["processed"]);
        let staging = staged(&target, "new");
        assert_eq!(array_in(&target), "old");
        staging.publish_with(&Silent, exchange).unwrap();
        assert_eq!(array_in(&target), "new");
        assert_eq!(names_in(parent.path()), ["processed"]);
    }
}

#[test]
fn open_files_stay_readable() {
    let (_parent, target) = parent();
    staged(&target, "old").publish(&Silent).unwrap();
    let mut open = File::open(target.join("X_train.npy")).unwrap();
    staged(&target, "new").publish(&Silent).unwrap();
    let mut read = String::new();
    open.read_to_string(&mut read).unwrap();
    assert_eq!(read, "old");
}

/// Fails without an atomic exchange, which has a moment without any export.
#[test]
fn never_a_moment_without_export() {
    let (_parent, target) = parent();
    staged(&target, "0").publish(&Silent).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let folder = File::open(&target).expect("the target always exists");
                assert!(folder.metadata().unwrap().is_dir());
                reads += 1;
            }
            reads
        });
        for round in 0..200 {
            staged(&target, &round.to_string()).publish(&Silent).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn symbolic_link() {
    let (parent, target) = parent();
    let real = parent.path().join("disk/real");
    staged(&real, "old").publish(&Silent).unwrap();
    symlink(&real, &target).unwrap();
    let staging = staged(&target, "new");
    // Beside the folder, not beside the link, which may be on another file system.
    assert_eq!(names_in(parent.path()), ["disk", "processed"]);
    staging.publish(&Silent).unwrap();
    assert!(target.is_symlink());
    assert_eq!(array_in(&real), "new");
    assert_eq!(names_in(&parent.path().join("disk")), ["real"]);
}

#[test]
fn permissions_are_kept() {
    let (_parent, target) = parent();
    staged(&target, "old").publish(&Silent).unwrap();
    let modes = [(target.clone(), 0o770), (target.join("X_train.npy"), 0o660)];
    for (path, mode) in &modes {
        fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
    }
    staged(&target, "new").publish(&Silent).unwrap();
    for (path, mode) in modes {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn foreign_files_are_never_deleted() {
    let refuse = |prepare: &dyn Fn(&Path), named: &[&str]| {
        let (_parent, target) = parent();
        fs::create_dir(&target).unwrap();
        prepare(&target);
        let before = names_in(&target);
        for result in [check_replaceable(&target), Staging::create(&target).map(drop)] {
            match result.unwrap_err() {
                PublishError::ForeignEntries { entries, .. } => assert_eq!(entries, named),
                error => panic!("{error}"),
            }
        }
        assert_eq!(names_in(&target), before);
    };
    let write = |target: &Path, name: &str, content: &str| {
        fs::write(target.join(name), content).unwrap();
    };
    // A folder or a link with the name of a file of the export.
    let replace = |target: &Path, by: &dyn Fn(&Path)| {
        fill(target, "old");
        fs::remove_file(target.join("X_train.npy")).unwrap();
        by(&target.join("X_train.npy"));
    };
    refuse(&|target| write(target, "thesis.tex", ""), &["thesis.tex"]);
    refuse(&|target| fs::create_dir(target.join("runs")).unwrap(), &["runs"]);
    refuse(&|target| replace(target, &|file| fs::create_dir(file).unwrap()), &["X_train.npy"]);
    refuse(&|target| replace(target, &|file| symlink("/nowhere", file).unwrap()), &["X_train.npy"]);
    let beside = |target: &Path| {
        fill(target, "old");
        write(target, "notes.txt", "");
        write(target, ".hidden", "");
    };
    refuse(&beside, &["notes.txt"]);
    // Manifests of other programs.
    for manifest in ["", "[]", r#"{"name": "web page"}"#, r#"{"files": ["index.html"]}"#] {
        refuse(
            &|target| {
                write(target, "manifest.json", manifest);
                write(target, "index.html", "");
            },
            &["index.html", "manifest.json"],
        );
    }
}

#[test]
fn foreign_file_added_during_the_export() {
    let (parent, target) = parent();
    staged(&target, "old").publish(&Silent).unwrap();
    let staging = staged(&target, "new");
    fs::write(target.join("notebook.ipynb"), "").unwrap();
    let error = staging.publish(&Silent).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("holds notebook.ipynb, which no export wrote"), "{said}");
    assert!(said.contains("choose another --out"), "{said}");
    assert_eq!(array_in(&target), "old");
    assert_eq!(names_in(parent.path()), ["processed"]);
}

#[test]
fn many_foreign_entries() {
    let entries = |count: usize| (0..count).map(|entry| entry.to_string()).collect::<Vec<_>>();
    assert_eq!(listed(&entries(5)), "0, 1, 2, 3, 4");
    assert_eq!(listed(&entries(7)), "0, 1, 2, 3, 4 and 2 more");
}

#[test]
fn target_is_not_a_folder() {
    let (parent, target) = parent();
    fs::write(&target, "a file").unwrap();
    let error = Staging::create(&target).unwrap_err();
    assert!(matches!(error, PublishError::NotAFolder { .. }), "{error}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "a file");

    let link = parent.path().join("link");
    symlink(parent.path().join("nowhere"), &link).unwrap();
    let error = Staging::create(&link).unwrap_err();
    assert!(matches!(error, PublishError::DanglingLink { .. }), "{error}");

    for no_name in ["/", "missing/.."] {
        let error = Staging::create(Path::new(no_name)).unwrap_err();
        assert!(matches!(error, PublishError::NoName { .. }), "{no_name}: {error}");
    }
}

/// As for a mount point, which only root could create here.
fn staged_in_place(target: &Path, array: &str) -> Staging {
    fs::create_dir_all(target).unwrap();
    let container = Container::claim_in_target(target).unwrap();
    let staging = Staging { target: target.to_owned(), container };
    fs::create_dir(staging.path()).unwrap();
    fill(&staging.path(), array);
    staging
}

#[test]
fn in_place() {
    let (parent, target) = parent();
    for array in ["first", "second"] {
        let staging = staged_in_place(&target, array);
        check_replaceable(&target).unwrap();
        staging.publish(&Silent).unwrap();
        assert_eq!(array_in(&target), array);
        assert_eq!(names_in(&target), ["X_train.npy", "manifest.json"]);
    }
    // A file that the new export does not have is deleted.
    staged(&target, "elsewhere").publish(&Silent).unwrap();
    let staging = staged_in_place(&target, "third");
    fs::rename(staging.path().join("X_train.npy"), staging.path().join("X_val.npy")).unwrap();
    staging.publish(&Silent).unwrap();
    assert_eq!(names_in(&target), ["X_val.npy", "manifest.json"]);
    assert_eq!(names_in(parent.path()), ["processed"]);
}

/// A kill after each of the moves: before the last move, the old export is restored.
#[test]
fn killed_in_place() {
    for had_export in [true, false] {
        let (old, new) = (("", "/previous"), ("/export", ""));
        let mut moves = Vec::new();
        if had_export {
            moves.extend([(old, "manifest.json"), (old, "X_train.npy")]);
        }
        moves.extend([(new, "X_train.npy"), (new, "manifest.json")]);
        for done in 0..=moves.len() {
            let (_parent, target) = parent();
            if had_export {
                staged(&target, "old").publish(&Silent).unwrap();
            }
            let staging = staged_in_place(&target, "new");
            let container = staging.container.folder();
            fs::create_dir(container.join("previous")).unwrap();
            fs::write(target.join(".notes"), "kept").unwrap();
            for ((from, to), name) in &moves[..done] {
                let place = |part: &str| match part {
                    "" => target.join(name),
                    part => container.join(&part[1..]).join(name),
                };
                fs::rename(place(from), place(to)).unwrap();
            }
            fs::write(target.join("notes"), "saved before the next run").unwrap();
            drop(staging);
            let mut names = names_in(&target);
            assert_eq!(names.remove(0), ".notes", "after {done} moves");
            assert_eq!(names.pop().as_deref(), Some("notes"), "after {done} moves");
            if done == moves.len() {
                assert_eq!(array_in(&target), "new");
            } else if had_export {
                assert_eq!(array_in(&target), "old", "after {done} moves");
            } else {
                assert!(names.is_empty(), "after {done} moves: {names:?}");
                continue;
            }
            assert_eq!(names, ["X_train.npy", "manifest.json"]);
        }
    }
}

/// A run is killed while the folder has no export, and then another run publishes its own.
#[test]
fn killed_in_place_before_another_export() {
    let (_parent, target) = parent();
    staged(&target, "old").publish(&Silent).unwrap();
    let killed = staged_in_place(&target, "of the killed run");
    let previous = killed.container.previous();
    fs::create_dir(&previous).unwrap();
    for name in ["manifest.json", "X_train.npy"] {
        fs::rename(target.join(name), previous.join(name)).unwrap();
    }
    fill(&target, "newer");
    drop(killed);
    assert_eq!(array_in(&target), "newer");
    assert_eq!(names_in(&target), ["X_train.npy", "manifest.json"]);
}

/// Saves a hidden file, as editors do, and creates and deletes others, while the new export is synced.
struct SavesNotes<'t>(&'t Path);

impl Progress for SavesNotes<'_> {
    fn begin(&self, doing: &'static str, _amount: Amount) {
        if doing == "syncing" {
            fs::write(self.0.join(".created"), "").unwrap();
            fs::write(self.0.join(".notes~"), "saved").unwrap();
            fs::rename(self.0.join(".notes~"), self.0.join(".notes")).unwrap();
            fs::remove_file(self.0.join(".deleted")).unwrap();
        }
    }
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}

#[test]
fn hidden_files_saved_during_the_export() {
    type Publish = &'static dyn Fn(&Path, &dyn Progress) -> Result<(), PublishError>;
    let publishes: [Publish; 3] = [
        &|target, progress| staged(target, "new").publish(progress),
        &|target, progress| staged(target, "new").publish_with(progress, no_exchange),
        &|target, progress| staged_in_place(target, "new").publish(progress),
    ];
    for publish in publishes {
        let (_parent, target) = parent();
        staged(&target, "old").publish(&Silent).unwrap();
        fs::write(target.join(".notes"), "old").unwrap();
        fs::write(target.join(".deleted"), "old").unwrap();
        publish(&target, &SavesNotes(&target)).unwrap();
        assert_eq!(array_in(&target), "new");
        assert_eq!(fs::read_to_string(target.join(".notes")).unwrap(), "saved");
        assert_eq!(names_in(&target), [".created", ".notes", "X_train.npy", "manifest.json"]);
    }
}

#[test]
fn hidden_files_stay() {
    let (_parent, target) = parent();
    fs::create_dir(&target).unwrap();
    fs::write(target.join(".gitkeep"), "kept").unwrap();
    for array in ["first", "second"] {
        staged(&target, array).publish(&Silent).unwrap();
        assert_eq!(array_in(&target), array);
        assert_eq!(fs::read_to_string(target.join(".gitkeep")).unwrap(), "kept");
    }
    staged_in_place(&target, "third").publish(&Silent).unwrap();
    assert_eq!(names_in(&target), [".gitkeep", "X_train.npy", "manifest.json"]);
    // A hidden folder may contain anything.
    fs::create_dir(target.join(".git")).unwrap();
    let error = Staging::create(&target).unwrap_err();
    assert!(matches!(error, PublishError::ForeignEntries { .. }), "{error}");
}

/// Names that NFS and FUSE use.
#[test]
fn deleted_files_that_the_system_keeps() {
    let (parent, target) = parent();
    let container = parent.path().join(".processed.prep-abc123");
    fs::create_dir(&container).unwrap();
    fs::write(container.join(".nfs0000000001"), "").unwrap();
    fs::write(container.join(".fuse_hidden0001"), "").unwrap();
    drop(Staging::create(&target).unwrap());
    assert!(names_in(parent.path()).is_empty());
}

#[test]
fn leftovers_of_dead_runs() {
    let (parent, target) = parent();
    let living = staged(&target, "living");
    let dead = |name: &str| {
        let folder = parent.path().join(name);
        fs::create_dir_all(folder.join("export")).unwrap();
        fs::write(folder.join("lock"), "").unwrap();
        fs::write(folder.join("export/X_train.npy"), "half").unwrap();
    };
    dead(".processed.prep-abc123");
    // Killed before it had created the lock.
    fs::create_dir(parent.path().join(".processed.prep-DEF456")).unwrap();
    // Folders of another target and of other programs.
    dead(".processed.prep-x.prep-abc123");
    dead(".processed.prep-seven77");
    dead(".processed.prep-a-copy");
    let own = parent.path().join(".processed.prep-myown1");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("letter"), "").unwrap();

    let second = staged(&target, "second");
    let names = names_in(parent.path());
    let mut expected = [
        ".processed.prep-x.prep-abc123".to_owned(),
        ".processed.prep-seven77".to_owned(),
        ".processed.prep-a-copy".to_owned(),
        ".processed.prep-myown1".to_owned(),
        living.container.folder().file_name().unwrap().to_str().unwrap().to_owned(),
        second.container.folder().file_name().unwrap().to_str().unwrap().to_owned(),
    ];
    expected.sort();
    assert_eq!(names, expected);
    // Both may publish; the later one wins.
    living.publish(&Silent).unwrap();
    second.publish(&Silent).unwrap();
    assert_eq!(array_in(&target), "second");
}

/// Each run treats the folders of others as leftovers unless they are locked, also in the moment between
/// creating a folder and locking it.
#[test]
fn concurrent_runs() {
    let (parent, target) = parent();
    staged(&target, "old").publish(&Silent).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let staging = staged(&target, "new");
                    assert_eq!(array_in(&staging.path()), "new");
                    staging.publish(&Silent).unwrap();
                }
            });
        }
    });
    assert_eq!(array_in(&target), "new");
    assert_eq!(names_in(parent.path()), ["processed"]);
}

/// A first export finds no target, and then the other run is faster.
#[test]
fn concurrent_first_exports() {
    for _ in 0..50 {
        let (parent, target) = parent();
        let runs = [staged(&target, "one"), staged(&target, "other")];
        std::thread::scope(|scope| {
            for staging in runs {
                scope.spawn(|| staging.publish(&Silent).unwrap());
            }
        });
        assert!(["one", "other"].contains(&array_in(&target).as_str()));
        assert_eq!(names_in(parent.path()), ["processed"]);
    }
}

#[test]
fn restored_after_a_dead_run() {
    // The target may have been created since, for example by `mkdir -p`.
    for found in ["no folder", "an empty folder", "a hidden file"] {
        let (parent, target) = parent();
        let container = parent.path().join(".processed.prep-abc123");
        for (folder, array) in [("previous", "old"), ("export", "new")] {
            fs::create_dir_all(container.join(folder)).unwrap();
            fill(&container.join(folder), array);
        }
        if found != "no folder" {
            fs::create_dir(&target).unwrap();
        }
        if found == "a hidden file" {
            fs::write(target.join(".gitkeep"), "").unwrap();
            drop(Staging::create(&target).unwrap());
            assert_eq!(array_in(&container.join("previous")), "old");
            fs::remove_file(target.join(".gitkeep")).unwrap();
        }
        drop(Staging::create(&target).unwrap());
        assert_eq!(array_in(&target), "old", "{found}");
        assert_eq!(names_in(parent.path()), ["processed"]);
    }
}

#[test]
fn failed_exchange() {
    let lose_the_new_one: fn(&Path, &Path) -> io::Result<()> = |export, _| {
        fs::remove_dir_all(export).unwrap();
        no_exchange(export, export)
    };
    let no_space: fn(&Path, &Path) -> io::Result<()> = |_, _| Err(ErrorKind::StorageFull.into());
    for (exchange, message) in [
        (lose_the_new_one, "cannot rename the new export to"),
        (no_space, "cannot exchange the new export with"),
    ] {
        let (parent, target) = parent();
        staged(&target, "old").publish(&Silent).unwrap();
        let error = staged(&target, "new").publish_with(&Silent, exchange).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(array_in(&target), "old");
        assert_eq!(names_in(parent.path()), ["processed"]);
    }
}
