//! Environments other than a local disk of a single user: mount points, layers of container images, file
//! systems that cannot sync a folder, folders of a group, and programs without a terminal.

use crate::support::cached::cached_games;
use crate::support::cli::{CliTest, Ran};
use crate::support::preloaded::compile;
use splendor_prep::cache::WriterLock;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const GAMES: u32 = 30;

fn ingested() -> CliTest {
    let test = CliTest::new();
    test.prep(&format!("simulate data/raw --games {GAMES}"));
    test.prep("ingest");
    test
}

/// Runs a shell script in its own mount namespace with `prep` in the path; `None` if this user may not
/// mount.
fn with_mounts(test: &CliTest, script: &str) -> Option<Ran> {
    // In its own user namespace, in which any user may mount.
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-euc", script]).current_dir(test.path(""));
        command
    };
    if !unshare("mount -t tmpfs none data").output().is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: this user may not mount");
        return None;
    }
    let prep = test.command("").get_program().to_owned();
    let script = format!("prep() {{ {} \"$@\"; }}\n{script}", prep.display());
    Some(unshare(&script).output().unwrap().into())
}

/// The mounted folder is replaced file by file, repeatedly, and no files are left over.
#[test]
fn export_to_a_mount_point() {
    let test = ingested();
    test.prep("export --out expected --features base");
    for mount in ["mount --bind arrays data/processed", "mount -t tmpfs none data/processed"] {
        let script = format!(
            "mkdir -p arrays data/processed; {mount}
             prep export --features base; prep export --features base
             prep verify --export data/processed; ls -A data/processed data"
        );
        let Some(ran) = with_mounts(&test, &script) else { return };
        assert_eq!(ran.code, 0, "{mount}: {ran:#?}");
        assert!(!ran.stdout.contains(".prep-"), "{mount}: {ran:#?}");
        assert!(ran.stdout.contains("X_train.npy"), "{mount}: {ran:#?}");
    }
    assert_eq!(names(&test, "arrays"), names(&test, "expected"));
}

/// An export that came with a container image is in a lower layer, whose folders cannot be renamed.
#[test]
fn export_over_one_of_a_container_image() {
    let test = ingested();
    test.prep("export --features base");
    let script = "mkdir upper work merged layers
        mount -t tmpfs none layers; mkdir layers/upper layers/work
        mount -t overlay overlay -o lowerdir=data,upperdir=layers/upper,workdir=layers/work merged || exit 9
        cd merged
        for night in 1 2; do prep export --cache intermediate/prep.sqlite --out processed --seed $night; done
        prep verify --export processed; ls -A . processed";
    let Some(ran) = with_mounts(&test, script) else { return };
    if ran.code == 9 {
        eprintln!("skipped: no overlay file system");
        return;
    }
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(!ran.stdout.contains(".prep-") && !ran.stdout.contains("processed.prep"), "{ran:#?}");
}

/// The errors of CIFS and some encrypted file systems: `EINVAL` and `EOPNOTSUPP`.
#[test]
fn folders_that_cannot_be_synced() {
    let library = compile("no_folder_sync");
    for error in ["22", "95"] {
        let test = CliTest::new();
        test.prep(&format!("simulate data/raw --games {GAMES}"));
        for command in
            ["ingest", "export", "export --force", "ingest --rebuild", "report --out r/r.html"]
        {
            let mut command = test.command(command);
            command.env("LD_PRELOAD", &library).env("NO_FOLDER_SYNC", error);
            let ran = Ran::from(command.output().unwrap());
            assert_eq!(ran.code, 0, "{command:?}: {ran:#?}");
        }
        // A real disk error is reported.
        let mut command = test.command("export --force");
        command.env("LD_PRELOAD", &library).env("NO_FOLDER_SYNC", "5");
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 1, "{ran:#?}");
    }
}

/// Only root can set a group that it is not in.
#[test]
fn group_and_owner_of_what_is_replaced() {
    let test = ingested();
    test.prep("export");
    let files = ["data/processed", "data/processed/X_train.npy", "data/intermediate/prep.sqlite"];
    for file in files {
        if chown(test.path(file), Some(1077), Some(2077)).is_err() {
            eprintln!("skipped: this user may not change owners");
            return;
        }
    }
    fs::set_permissions(test.path(files[0]), fs::Permissions::from_mode(0o2750)).unwrap();
    fs::set_permissions(test.path(files[2]), fs::Permissions::from_mode(0o660)).unwrap();
    test.prep("export");
    test.prep("ingest --rebuild");
    let access = |file: &str| {
        let file = fs::metadata(test.path(file)).unwrap();
        (file.uid(), file.gid(), file.mode() & 0o7777)
    };
    assert_eq!(access(files[0]), (1077, 2077, 0o2750));
    assert_eq!((access(files[1]).0, access(files[1]).1), (1077, 2077));
    assert_eq!(access(files[2]), (1077, 2077, 0o660));
    // A file that the old export did not have.
    test.prep("export --format parquet");
    assert_eq!(access("data/processed/train.parquet").1, 2077);
}

/// By its permissions, or because its disk is not mounted.
#[test]
fn unreadable_folder() {
    let test = CliTest::simulated(9);
    test.prep("ingest raw --cache c.sqlite");
    let games = cached_games(&test.path("c.sqlite"));
    test.prep("simulate raw --games 1 --players 2 --first-id 10");

    fs::rename(test.path("raw/3_games"), test.path("unmounted")).unwrap();
    std::os::unix::fs::symlink("nowhere", test.path("raw/3_games")).unwrap();
    let said = "the folder 3_games cannot be read: a broken symbolic link (is a disk not mounted?)";
    let ran = test.run("status raw --cache c.sqlite");
    assert_eq!((ran.code, ran.stderr), (1, format!("error: {said}\n")));
    assert_eq!(ran.stdout.lines().last(), Some("1 game new, 6 games up to date"));
    let json = test.run("status raw --cache c.sqlite --json").json();
    assert_eq!(
        (&json["up_to_date"], &json["unreadable_folders"][0]["path"]),
        (&false.into(), &"3_games".into())
    );
    let said = format!(
        "error: {said}\nwarning: no log is found of 3 cached games, which may be in a folder that \
         cannot be read: nothing was removed\n"
    );
    for options in ["-q", "-q --allow-delete"] {
        let ran = test.run(&format!("ingest raw --cache c.sqlite {options}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (3, said.as_str()));
    }
    assert!(games.keys().all(|id| cached_games(&test.path("c.sqlite")).contains_key(id)));
    let ran = test.run("export --cache c.sqlite --strict");
    assert!(ran.code == 1 && ran.stderr.contains("did not finish"), "{ran:#?}");
    let ran = test.run("ingest raw --cache c.sqlite --rebuild");
    assert!(ran.code == 1 && ran.stderr.contains("3_games cannot be read"), "{ran:#?}");
    let ran = test.run("ingest raw --cache fresh.sqlite --json");
    let json = ran.json();
    assert_eq!((ran.code, &json["cache"]["games"]), (3, &7.into()));
    assert_eq!(json["unreadable_folders"][0]["path"], "3_games");

    fs::remove_file(test.path("raw/3_games")).unwrap();
    fs::rename(test.path("unmounted"), test.path("raw/3_games")).unwrap();
    test.prep("ingest raw --cache c.sqlite");
    test.prep("export --cache c.sqlite --strict");

    let mode = |mode| {
        let folder = test.path("raw/3_games");
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(test.path("mine")).unwrap();
    fs::set_permissions(test.path("mine"), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(test.run_as_nobody("ingest raw --cache mine/c.sqlite").code, 0);
    mode(0);
    let ran = test.run_as_nobody("ingest raw --cache mine/c.sqlite");
    mode(0o755);
    assert_eq!(ran.code, 3, "{ran:#?}");
    let said = "error: the folder 3_games cannot be read: permission denied\n";
    assert!(ran.stderr.starts_with(said), "{ran:#?}");
    assert_eq!(cached_games(&test.path("mine/c.sqlite")).len(), 10);
}

/// Files that a run with sudo left: the message names their owner and the command that changes it.
#[test]
fn files_of_another_user() {
    let test = ingested();
    test.prep("export");
    if fs::metadata(test.path("data")).unwrap().uid() != 0 {
        eprintln!("skipped: only root can leave files to others");
        return;
    }
    let mode = |path: &str, mode| {
        fs::set_permissions(test.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    let cache = "data/intermediate/prep.sqlite";
    let refused = |arguments: &str, said: &str| {
        let ran = test.run_as_nobody(arguments);
        assert_eq!((ran.code, ran.stderr.lines().count()), (1, 1), "{ran:#?}");
        assert!(ran.stderr.contains(said), "{said:?} is not in {ran:#?}");
    };
    let of_root = |path: &str, files: &str| {
        format!("{path} belongs to root (a run with sudo?): `sudo chown {files}` makes it yours")
    };
    let theirs = of_root(cache, &format!("\"$USER\" {cache}*"));
    refused("ingest", &theirs);
    mode("data/intermediate", 0o777);
    mode("data/intermediate/prep.sqlite.lock", 0o666);
    refused("ingest", &theirs[cache.len()..]);
    mode(cache, 0o600);
    refused(
        "export --out out",
        &format!("cannot read the cache {cache}: permission denied: {theirs}"),
    );
    mode(cache, 0o666);
    mode("data", 0o777);
    assert_eq!(test.run_as_nobody("ingest").code, 0);

    // The error comes before anything is written. An export that is up to date is not replaced.
    assert_eq!(test.run_as_nobody("export").code, 0);
    let processed = format!("{}data/processed", test.path("").display());
    refused("export --force", &of_root(&processed, &format!("-R \"$USER\" {processed}")));
    mode("data/processed", 0o777);
    assert_eq!(test.run_as_nobody("export --force -q").code, 0);
}

/// `nohup` ignores the signal of a closed terminal, and so does everything that it starts.
#[test]
fn ignored_signal_stays_ignored() {
    let test = CliTest::simulated(6);
    // The run waits for the lock, so it is still running when the signal arrives.
    let lock = WriterLock::acquire(&test.path("c.sqlite"), Duration::ZERO).unwrap();
    let prep = test.command("").get_program().to_owned();
    let script = "trap '' HUP; exec \"$0\" ingest raw --cache c.sqlite --wait 60";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(prep)
        .current_dir(test.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("waiting for another run"), "{line}");
    let sent = Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    drop(lock);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
}

fn names(test: &CliTest, folder: &str) -> Vec<PathBuf> {
    test.files(folder).into_keys().collect()
}
