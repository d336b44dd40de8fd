use super::*;

#[test]
#[cfg(unix)]
fn only_regular_files_are_opened() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "text").unwrap();
    symlink(at("file"), at("link")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), 0o600.into()).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for (path, what) in [
        (at("fifo"), "it is a FIFO, not a regular file"),
        (at("socket"), "it is a socket, not a regular file"),
        (folder.path().to_owned(), "it is a folder, not a regular file"),
        ("/dev/zero".into(), "it is a device, not a regular file"),
    ] {
        assert_eq!(open_file(&path).unwrap_err().to_string(), what);
        assert_eq!(read_file(&path, 9).unwrap_err().to_string(), what);
        assert_eq!(open_own_file(&path).unwrap_err().to_string(), what);
    }
    drop(socket);
    assert_eq!(read_file(&at("link"), 4).unwrap(), b"text");
    assert_eq!(open_own_file(&at("link")).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(open_own_file(&at("new")).unwrap().metadata().unwrap().is_file());
    assert_eq!(read_file(&at("file"), 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
}

#[test]
fn size_is_checked_before_memory_is_reserved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hole");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(read_file(&path, 1 << 30).unwrap_err().kind(), ErrorKind::FileTooLarge);
}
