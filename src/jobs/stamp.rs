//! What a file was like, to tell later whether it still is: its stamp where that is sure to show a change, else its content.
//!
//! A stamp alone is not always enough. Clocks of file systems are coarse, up to two seconds on FAT, so a file that is changed
//! right after it was looked at can keep its stamp; and a copy of a folder, or a network drive, changes stamps of files that
//! are the same. So a mark holds a hash of the content besides, which decides wherever the stamp leaves a doubt.

use std::cell::OnceCell;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file that was changed less than this before it was looked at may change again without a trace in its stamp: FAT counts
/// time in steps of two seconds.
const YOUNG: i64 = 2500;

/// Size and times of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub size: u64,
    /// Time of the last change of the content, in milliseconds since 1970.
    pub time: i64,
    /// The nanoseconds after those milliseconds; lines of older versions lack this and the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nanos: Option<u32>,
    /// Time of the last change of any kind, in milliseconds since 1970, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed: Option<i64>,
    /// Number of the file in its file system, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<u64>,
}

impl Stamp {
    pub fn of(about: &Metadata) -> Self {
        let (time, nanos) = about.modified().map_or((0, 0), split);
        let (changed, node) = change_and_node(about);
        Self { size: about.len(), time, nanos: Some(nanos), changed, node }
    }

    pub fn is_older(&self, other: &Self) -> bool {
        (self.time, self.nanos) < (other.time, other.nanos)
    }

    /// The same size and time of change, as far as older versions wrote them down.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.size, self.time) == (other.size, other.time)
    }
}

/// Milliseconds since 1970, and the nanoseconds after those.
fn split(time: SystemTime) -> (i64, u32) {
    let parts = |time: Duration| (time.as_millis() as i64, time.subsec_nanos() % 1_000_000);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => parts(after),
        Err(before) => {
            let (millis, nanos) = parts(before.duration());
            (-millis, nanos)
        }
    }
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    split(SystemTime::now()).0
}

#[cfg(unix)]
fn change_and_node(about: &Metadata) -> (Option<i64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt;
    let changed = about.ctime().checked_mul(1000).map(|millis| millis + about.ctime_nsec() / 1_000_000);
    (changed, Some(about.ino()))
}

#[cfg(not(unix))]
fn change_and_node(_: &Metadata) -> (Option<i64>, Option<u64>) {
    (None, None)
}

/// What a file was like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Hash of the content; missing in lines of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Whether the file may have changed since without a trace in its stamp.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    young: bool,
}

impl Mark {
    /// The mark of a picture that is about to be read.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn of_picture(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let young = [Some(stamp.time), stamp.changed].iter().flatten().any(|&time| time > now() - YOUNG);
        Ok(Self { stamp, hash: Some(hash(&mut file)?), young })
    }

    /// The mark of a result that has been written under a temporary name. Gives it the time of now, so that no later flush
    /// changes that.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn of_result(mut file: &File) -> io::Result<Self> {
        file.rewind()?;
        let hash = hash(&mut file)?;
        file.set_modified(SystemTime::now())?;
        // Putting it in place counts as a change too.
        let stamp = Stamp { changed: None, ..Stamp::of(&file.metadata()?) };
        // A clock that counts in seconds would show no change within the second.
        let young = stamp.nanos == Some(0) && stamp.time % 1000 == 0;
        Ok(Self { stamp, hash: Some(hash), young })
    }

    /// A mark as older versions wrote it.
    #[cfg(test)]
    pub fn old(size: u64, time: i64) -> Self {
        let stamp = Stamp { size, time, nanos: None, changed: None, node: None };
        Self { stamp, hash: None, young: false }
    }

    /// Whether a file is still what it was.
    pub fn is(&self, now: &Seen<'_>) -> bool {
        match &self.hash {
            None => self.stamp.is_like(&now.stamp),
            Some(_) if self.is_sure(now) => true,
            Some(hash) => self.stamp.size == now.stamp.size && now.hash() == Some(hash),
        }
    }

    /// Whether the stamp alone shows that a file is still what it was.
    pub fn is_sure(&self, now: &Seen<'_>) -> bool {
        let changed = if self.stamp.changed.is_some() { now.stamp.changed } else { None };
        !self.young && self.hash.is_some() && self.stamp == Stamp { changed, ..now.stamp }
    }

    /// The mark of a file that is what it was, by its content, for which the stamp will be enough next time. `None` if it would
    /// not be.
    pub fn renewed(&self, now: &Seen<'_>) -> Option<Self> {
        let stamp = now.stamp;
        let young = [Some(stamp.time), stamp.changed].iter().flatten().any(|&time| time > now.looked - YOUNG);
        let hash = self.hash.clone().filter(|_| !young)?;
        Some(Self { stamp, hash: Some(hash), young: false })
    }
}

/// A file as it is now; its content is read only when it has to be.
pub struct Seen<'a> {
    path: &'a Path,
    pub stamp: Stamp,
    /// When the stamp was taken.
    looked: i64,
    hash: OnceCell<Option<String>>,
}

impl<'a> Seen<'a> {
    /// `None` if there is no such file, or it is not a regular one.
    pub fn at(path: &'a Path) -> Option<Self> {
        let looked = now();
        let about = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        Some(Self { path, stamp: Stamp::of(&about), looked, hash: OnceCell::new() })
    }

    fn hash(&self) -> Option<&String> {
        let read = || File::open(self.path).and_then(|mut file| hash(&mut file)).ok();
        self.hash.get_or_init(read).as_ref()
    }
}

/// A hash of all bytes: FNV-1a's steps on words of eight bytes, each folded so that every bit counts.
fn hash(file: &mut impl Read) -> io::Result<String> {
    const PRIME: u64 = 0x100_0000_01b3;
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut length = 0u64;
    let mut add = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        state = (state ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
        state ^= state >> 29;
    };
    let mut buffer = vec![0; 1 << 16];
    loop {
        // Whole buffers, so that the words do not depend on how much is read at a time.
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        buffer[..filled].chunks(8).for_each(&mut add);
        length += filled as u64;
        if filled < buffer.len() {
            break;
        }
    }
    add(&length.to_le_bytes());
    Ok(format!("{state:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn old(path: &Path) {
        let time = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn content_decides_where_the_stamp_leaves_a_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        fs::write(&path, "one").unwrap();
        let mark = Mark::of_picture(&path).unwrap();
        assert!(mark.young && mark.is(&Seen::at(&path).unwrap()));
        assert!(!mark.is_sure(&Seen::at(&path).unwrap()), "it was written a moment ago");
        // Changed within the clock's step: the size and all times are equal.
        let now = Seen::at(&path).unwrap();
        fs::write(&path, "two").unwrap();
        assert_eq!(now.hash(), Some(&hash(&mut &b"two"[..]).unwrap()));
        assert!(!mark.is(&Seen { stamp: mark.stamp, ..now }));
        // Touched, copied, or on a drive that rounds: the content is equal.
        fs::write(&path, "one").unwrap();
        old(&path);
        let now = Seen::at(&path).unwrap();
        assert!(mark.is(&now) && now.stamp != mark.stamp);
        let later = Seen { looked: now.looked + YOUNG, ..now };
        let renewed = mark.renewed(&later).unwrap();
        assert!(renewed.is_sure(&later) && renewed.hash == mark.hash);
        fs::write(&path, "more").unwrap();
        assert!(!mark.is(&Seen::at(&path).unwrap()));
        assert!(Seen::at(folder.path()).is_none() && Seen::at(&folder.path().join("b")).is_none());
    }

    #[test]
    fn results_keep_their_time_when_they_are_put_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let [temporary, path] = ["t", "a.png"].map(|name| folder.path().join(name));
        fs::write(&temporary, "result").unwrap();
        let file = File::options().read(true).write(true).open(&temporary).unwrap();
        let mark = Mark::of_result(&file).unwrap();
        fs::rename(&temporary, &path).unwrap();
        assert!(mark.is(&Seen::at(&path).unwrap()));
        assert!(mark.young || mark.is_sure(&Seen::at(&path).unwrap()));
        // Somebody edits it at once, and keeps its size.
        fs::write(&path, "tluser").unwrap();
        assert!(!mark.is(&Seen::at(&path).unwrap()));
    }

    #[test]
    fn marks_of_older_versions() {
        let mark: Mark = serde_json::from_str(r#"{"size":3,"time":1000}"#).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        fs::write(&path, "one").unwrap();
        let now = |time| Seen {
            stamp: Stamp { time, ..Seen::at(&path).unwrap().stamp },
            ..Seen::at(&path).unwrap()
        };
        assert!(mark.is(&now(1000)) && !mark.is(&now(1001)) && !mark.is_sure(&now(1000)));
        let text = serde_json::to_string(&mark).unwrap();
        assert_eq!(text, r#"{"size":3,"time":1000}"#);
        let whole = Mark::of_picture(&path).unwrap();
        assert_eq!(serde_json::from_str::<Mark>(&serde_json::to_string(&whole).unwrap()).unwrap(), whole);
    }

    #[test]
    fn every_bit_counts() {
        let of = |bytes: &[u8]| hash(&mut &bytes[..]).unwrap();
        let bytes: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        let whole = of(&bytes);
        assert_eq!(whole, of(&bytes));
        for (at, bit) in [(0, 0), (7, 7), (8, 7), (65_535, 3), (65_536, 0), (99_999, 7)] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert_ne!(of(&flipped), whole, "{at} {bit}");
        }
        let mut two = bytes.clone();
        two[7] ^= 0x80;
        two[15] ^= 0x80;
        assert_ne!(of(&two), whole);
        assert_ne!(of(&[0; 8]), of(&[0; 9]));
        assert_ne!(of(b""), of(&[0]));
    }
}
