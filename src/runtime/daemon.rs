//! Pid file, user, group and root directory.
//!
//! Mirrors ISC `server/dhcpd.c:main` and `setup_chroot`.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Gid, Group, Pid, Uid, User, chroot, geteuid, setgid, setgroups, setuid};

use super::args::Cli;
use super::fatal::Fatal;
use super::logging::emit;
use super::settings::path_octets;
use super::sys;
use crate::log::Line;

/// Refuses to start when the pid file names another live process, or holds anything but a number.
///
/// # Errors
/// `There's already a DHCP server running.`
pub fn refuse_second_server(pid_file: &Path) -> Result<(), Fatal> {
    let Ok(mut file) = OpenOptions::new().read(true).open(pid_file) else { return Ok(()) };
    let mut text = [0; 19];
    let length = file.read(&mut text).unwrap_or(0);
    let text = text.get(..length).unwrap_or_default();
    if text.is_empty() {
        return Ok(());
    }
    let pid = atoi(text);
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    if pid == 0 || (pid != own && kill(Pid::from_raw(pid), None).is_ok()) {
        return Err(Fatal::new("There's already a DHCP server running."));
    }
    Ok(())
}

/// A number as atoi(3) reads it: leading white space, a sign, digits; whatever follows is ignored.
fn atoi(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for digit in digits.iter().take_while(|octet| octet.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    let value = if negative { -value } else { value };
    // atoi(3) keeps the low half of strtol's long.
    value as i32
}

/// Writes the pid of this process. A failure is logged and that is all.
pub fn write_pid_file(pid_file: &Path) {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(pid_file);
    match opened {
        // dhcpd does not look at the outcome of the write.
        Ok(mut file) => drop(file.write_all(format!("{}\n", std::process::id()).as_bytes())),
        Err(error) => {
            let mut text = b"Can't create PID file ".to_vec();
            text.extend_from_slice(path_octets(pid_file));
            text.extend_from_slice(format!(": {}.", sys::percent_m(&error)).as_bytes());
            emit(&Line::error(text));
        }
    }
}

/// The user and group to become once everything is open. Zero means stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `-user`, looked up.
    pub uid: u32,
    /// `-group`, or the user's own group.
    pub gid: u32,
}

impl Identity {
    /// Looks `-user` and `-group` up.
    ///
    /// # Errors
    /// When we are not root, or there is no such user or group.
    pub fn resolve(cli: &Cli) -> Result<Self, Fatal> {
        let mut identity = Self::default();
        if let Some(name) = &cli.user {
            if !geteuid().is_root() {
                return Err(Fatal::new("you must be root to set user"));
            }
            let user = name.to_str().and_then(|name| User::from_name(name).ok().flatten());
            let Some(user) = user else {
                return Err(Fatal::new([b"no such user: ", name.as_bytes()].concat()));
            };
            identity.uid = user.uid.as_raw();
            if cli.group.is_none() {
                identity.gid = user.gid.as_raw();
            }
        }
        if let Some(name) = &cli.group {
            if !geteuid().is_root() {
                return Err(Fatal::new("you must be root to set group"));
            }
            let group = name.to_str().and_then(|name| Group::from_name(name).ok().flatten());
            let Some(group) = group else {
                return Err(Fatal::new([b"no such group: ", name.as_bytes()].concat()));
            };
            identity.gid = group.gid.as_raw();
        }
        Ok(identity)
    }

    /// Becomes that user and group.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn assume(self) -> Result<(), Fatal> {
        let fatal =
            |call: String| move |errno: Errno| Fatal::new(format!("{call}: {}", sys::strerror(errno as i32)));
        if self.gid != 0 {
            setgroups(&[]).map_err(fatal("setgroups".into()))?;
            setgid(Gid::from_raw(self.gid)).map_err(fatal(format!("setgid({})", self.gid as i32)))?;
        }
        if self.uid != 0 {
            setuid(Uid::from_raw(self.uid)).map_err(fatal(format!("setuid({})", self.uid as i32)))?;
        }
        Ok(())
    }
}

/// `-chroot`.
///
/// # Errors
/// When we are not root, or the kernel refuses.
pub fn change_root(directory: &Path) -> Result<(), Fatal> {
    if !geteuid().is_root() {
        return Err(Fatal::new("you must be root to use chroot"));
    }
    chroot(directory).map_err(|errno| {
        let mut text = b"chroot(\"".to_vec();
        text.extend_from_slice(path_octets(directory));
        text.extend_from_slice(format!("\"): {}", sys::strerror(errno as i32)).as_bytes());
        Fatal::new(text)
    })?;
    std::env::set_current_dir("/")
        .map_err(|error| Fatal::new(format!("chdir(\"/\"): {}", sys::percent_m(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid_file(name: &str, text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("relet-pid-{name}-{}", std::process::id()));
        std::fs::write(&path, text).expect("a temporary file");
        path
    }

    #[test]
    fn pid_file_rules() {
        let own = std::process::id();
        let parent = std::os::unix::process::parent_id();
        for (name, text, refused) in [
            ("own", format!("{own}\n"), false),
            ("live", format!("{parent}\n"), true),
            ("word", "nonsense\n".into(), true),
            ("empty", String::new(), false),
            ("dead", "4194304999\n".into(), false),
        ] {
            let path = pid_file(name, &text);
            assert_eq!(refuse_second_server(&path).is_err(), refused, "{name}");
            std::fs::remove_file(path).expect("was there");
        }
        assert_eq!(refuse_second_server(Path::new("/no/such/file")), Ok(()));
    }

    #[test]
    fn pid_file_is_written() {
        let path = pid_file("written", "something longer than a pid\n");
        write_pid_file(&path);
        assert_eq!(std::fs::read_to_string(&path).expect("there"), format!("{}\n", std::process::id()));
        std::fs::remove_file(path).expect("was there");
    }

    #[test]
    fn numbers_as_atoi_reads_them() {
        assert_eq!(atoi(b" 12\n"), 12);
        assert_eq!(atoi(b"-3x"), -3);
        assert_eq!(atoi(b"x"), 0);
        assert_eq!(atoi(b"4294967297"), 1);
    }
}
