//! Publication: whoever opens the path sees the old catalog or the new one, whole; an engine in use keeps its own.
#![cfg(all(feature = "build", unix))]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aftercart::build::publish;
use aftercart::{Catalog, Decider, Engine, OpenMode, OpenOptions};
use common::{Request, World};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_published_file_is_the_bytes_and_readable_by_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    let world = World::new(1, 20);
    publish(&world.bytes, &path).expect("it publishes");
    assert_eq!(fs::read(&path).expect("it reads"), world.bytes);
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o644);
    assert_eq!(names(folder.path()), ["shop.aftercart"], "no temporary file stays");
}

#[test]
fn a_missing_folder_is_an_error_that_names_the_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("not-there").join("shop.aftercart");
    let error = publish(&World::new(1, 20).bytes, &path).expect_err("nowhere to go").to_string();
    assert!(error.contains("not-there"), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn bytes_that_do_not_verify_leave_the_old_file_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    let old = World::new(1, 20).bytes;
    publish(&old, &path).expect("it publishes");
    let whole = World::new(2, 20).bytes;
    let mut flipped = whole.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    for bad in [&whole[..whole.len() - 1], &flipped, b"", b"not a catalog"] {
        let error = publish(bad, &path).expect_err("it must not get through").to_string();
        assert!(error.contains("does not verify"), "{error}");
        assert_eq!(fs::read(&path).expect("it reads"), old);
        assert_eq!(names(folder.path()), ["shop.aftercart"], "no temporary file stays");
    }
}

#[test]
fn a_folder_in_the_place_of_the_file_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    fs::create_dir(&path).expect("a folder in the way");
    assert!(publish(&World::new(1, 20).bytes, &path).is_err());
    assert_eq!(names(folder.path()), ["shop.aftercart"], "no temporary file stays");
}

#[test]
fn a_read_only_folder_is_an_error_and_the_old_file_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    let old = World::new(1, 20).bytes;
    publish(&old, &path).expect("it publishes");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).expect("its owner may");
    // The superuser writes anywhere: then there is nothing to see.
    let probe = fs::write(folder.path().join("probe"), b"").is_ok();
    let published = publish(&World::new(2, 20).bytes, &path);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its owner may");
    if !probe {
        assert!(published.is_err());
        assert_eq!(fs::read(&path).expect("it reads"), old);
    }
}

/// Somebody sweeps temporary files away while they are written: each publication succeeds whole or fails, and what stands
/// at the path is one catalog or the other.
#[test]
fn a_swept_temporary_file_never_breaks_the_published_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    let (one, two) = (World::new(1, 20).bytes, World::new(2, 20).bytes);
    publish(&one, &path).expect("it publishes");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for name in names(folder.path()).iter().filter(|name| name.ends_with(".tmp")) {
                    let _ = fs::remove_file(folder.path().join(name)); // it may be gone already
                }
            }
        });
        let (mut expected, mut failed) = (&one, 0);
        for round in 0..200 {
            let next = if round % 2 == 0 { &two } else { &one };
            match publish(next, &path) {
                Ok(()) => expected = next,
                Err(_) => failed += 1,
            }
            assert!(fs::read(&path).expect("it reads") == *expected, "round {round}");
        }
        done.store(true, Ordering::Relaxed);
        println!("{failed} of 200 publications failed");
    });
}

#[test]
fn an_engine_in_use_survives_that_its_file_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    let (one, two) = (World::new(1, 300), World::new(2, 300));
    publish(&one.bytes, &path).expect("it publishes");
    let open = || Arc::new(Engine::open(&path, OpenOptions::default()).expect("it opens"));
    let engine = open();
    let mut decider = Decider::new(Arc::clone(&engine));
    let request = Request::of(&["p1", "p12"]);
    let decide =
        |decider: &mut Decider| request.with(|t, p| decider.decide(t, p).expect("within the limits"));
    let first = decide(&mut decider);
    for round in 0..60 {
        publish(if round % 2 == 0 { &two.bytes } else { &one.bytes }, &path).expect("it publishes");
        for _ in 0..50 {
            assert_eq!(decide(&mut decider), first, "round {round}");
        }
        let build_id = open().catalog().build_id();
        let expected = if round % 2 == 0 { &two } else { &one };
        assert_eq!(build_id, expected.engine.catalog().build_id(), "a new reader sees the new file");
    }
    fs::remove_file(&path).expect("it may go");
    assert_eq!(decide(&mut decider), first, "even where the name is gone");
}

#[test]
fn only_regular_files_open() {
    let folder = tempfile::tempdir().expect("a folder");
    for mode in [OpenMode::Map, OpenMode::Copy] {
        let options = OpenOptions { mode, ..OpenOptions::default() };
        for path in [folder.path(), Path::new("/dev/null"), &folder.path().join("nothing")] {
            let error = Catalog::open(path, options).expect_err("not a catalog").to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
        let empty = folder.path().join("empty");
        fs::write(&empty, b"").expect("it writes");
        assert!(Catalog::open(&empty, options).is_err(), "an empty file");
    }
}

/// What the README says of mapping: a copy does not mind that the file is cut, a mapping dies of it.
#[test]
fn a_copy_survives_that_its_file_is_cut_and_a_mapping_does_not() {
    let run = |mode: &str| {
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "decide_after_the_file_is_cut", "--ignored", "--nocapture"])
            .env("AFTERCART_TEST_MODE", mode)
            .output()
            .expect("it runs")
    };
    let copy = run("copy");
    assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(run("map").status.signal(), Some(7), "SIGBUS");
}

#[test]
#[ignore = "run in a process of its own by the test above"]
fn decide_after_the_file_is_cut() {
    let copy = std::env::var("AFTERCART_TEST_MODE").as_deref() == Ok("copy");
    let mode = if copy { OpenMode::Copy } else { OpenMode::Map };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.aftercart");
    publish(&World::new(1, 300).bytes, &path).expect("it publishes");
    let engine = Engine::open(&path, OpenOptions { mode, ..OpenOptions::default() }).expect("it opens");
    let mut decider = Decider::new(Arc::new(engine));
    fs::OpenOptions::new().write(true).open(&path).expect("it opens").set_len(0).expect("it cuts");
    Request::of(&["p1"]).with(|t, p| decider.decide(t, p).expect("within the limits"));
}
