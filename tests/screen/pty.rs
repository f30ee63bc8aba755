//! A terminal that the tests hold: the program runs in a pseudo-terminal, a terminal emulator reads
//! what it writes, and every byte is kept. What is tested stands in the other files.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// Generous: the machine may be busy. What is right comes much sooner.
const PATIENCE: Duration = Duration::from_secs(30);
/// A screen that did not change for so long has nothing more to show.
const STILL: Duration = Duration::from_millis(100);

/// What the program wrote, and the screen that came of it.
struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    changed: Instant,
}

#[derive(Clone)]
struct Shared(Arc<(Mutex<Seen>, Condvar)>);

impl Shared {
    /// A test that failed while it held it has its say; nothing is broken by that.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for more, at most so long.
    fn wait<'a>(&'a self, seen: MutexGuard<'a, Seen>, most: Duration) -> MutexGuard<'a, Seen> {
        let waited = self.0.1.wait_timeout(seen, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn take(&self, bytes: &[u8]) {
        let mut seen = self.lock();
        seen.raw.extend_from_slice(bytes);
        let before = seen.parser.screen().contents_formatted();
        seen.parser.process(bytes);
        if seen.parser.screen().contents_formatted() != before {
            seen.changed = Instant::now();
        }
        self.0.1.notify_all();
    }
}

/// A program in a terminal of its own. Dropping it kills the program.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Held, so that what the terminal was left like can be asked when the program is gone.
    _slave: Box<dyn SlavePty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shared: Shared,
    _home: tempfile::TempDir,
}

/// How the terminal stands when nobody has taken it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mode of the terminal"
)]
pub struct Standing {
    pub alternate: bool,
    pub cursor_hidden: bool,
    pub bracketed_paste: bool,
    pub mouse: bool,
    /// Keys come one by one and unechoed.
    pub raw: bool,
}

impl Standing {
    pub const GIVEN_BACK: Self = Self {
        alternate: false,
        cursor_hidden: false,
        bracketed_paste: false,
        mouse: false,
        raw: false,
    };
    pub const TAKEN: Self = Self {
        alternate: true,
        cursor_hidden: true,
        bracketed_paste: true,
        mouse: false,
        raw: true,
    };
}

impl Terminal {
    /// evtap with these arguments, on a screen of so many columns and rows.
    pub fn evtap(size: (u16, u16), args: &[&str]) -> Self {
        Self::program(size, Path::new(env!("CARGO_BIN_EXE_evtap")), args, &[])
    }

    /// Any program, in a clean environment with these variables.
    pub fn program(
        (columns, rows): (u16, u16),
        program: &Path,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .expect("there are pseudo-terminals");
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for kept in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env("HOME", home.path());
        command.env("XDG_CONFIG_HOME", home.path());
        for (name, value) in variables {
            command.env(name, value);
        }
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let shared = Shared(Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(cells(rows), cells(columns), 0),
                raw: Vec::new(),
                changed: Instant::now(),
            }),
            Condvar::new(),
        )));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let taker = shared.clone();
        std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || {
                let mut bytes = vec![0; 1 << 16];
                // Ends with an error once nobody holds the other side.
                while let Ok(count @ 1..) = reader.read(&mut bytes) {
                    taker.take(&bytes[..count]);
                }
            })
            .unwrap();
        Self {
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            _slave: pair.slave,
            child,
            shared,
            _home: home,
        }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Types, and waits until the screen stands still.
    pub fn press(&mut self, keys: &str) {
        self.keys(keys);
        self.still();
    }

    /// Pastes as a terminal does that was asked to say so.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut seen = self.shared.lock();
        seen.parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Waits until the screen is as it should be; fails with the screen when it never is.
    pub fn until(&self, what: &str, right: impl Fn(&vt100::Screen) -> bool) {
        let began = Instant::now();
        let mut seen = self.shared.lock();
        while !right(seen.parser.screen()) {
            let left = PATIENCE.saturating_sub(began.elapsed());
            assert!(
                !left.is_zero(),
                "never came: {what}. The screen is\n{}",
                seen.parser.screen().contents()
            );
            seen = self.shared.wait(seen, left);
        }
    }

    pub fn until_text(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits until nothing on the screen changes any more.
    pub fn still(&self) {
        let began = Instant::now();
        let mut seen = self.shared.lock();
        // What was typed last is not answered yet.
        seen.changed = began;
        loop {
            let left = STILL.saturating_sub(seen.changed.elapsed());
            if left.is_zero() {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "never stood still:\n{}",
                seen.parser.screen().contents()
            );
            seen = self.shared.wait(seen, left);
        }
    }

    pub fn screen(&self) -> String {
        self.shared.lock().parser.screen().contents()
    }

    /// Every byte that was written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.shared.lock().raw.clone()
    }

    pub fn standing(&self) -> Standing {
        let raw = self.is_raw();
        standing(self.shared.lock().parser.screen(), raw)
    }

    /// Waits until the terminal stands so.
    pub fn until_standing(&self, wanted: Standing) {
        self.until(&format!("{wanted:?}"), |screen| {
            standing(screen, wanted.raw) == wanted
        });
        // The modes are set before or after the words for the screen.
        let began = Instant::now();
        while self.is_raw() != wanted.raw {
            assert!(began.elapsed() < PATIENCE, "raw: {}", self.is_raw());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_raw(&self) -> bool {
        let termios = self.master.get_termios().expect("a terminal has its modes");
        let modes = termios.local_flags.bits();
        modes & (libc::ICANON | libc::ECHO | libc::ISIG) == 0
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the program; its exit code.
    pub fn end(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end. The screen is\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A program that ended cannot be killed, which is as well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn standing(screen: &vt100::Screen, raw: bool) -> Standing {
    Standing {
        alternate: screen.alternate_screen(),
        cursor_hidden: screen.hide_cursor(),
        bracketed_paste: screen.bracketed_paste(),
        mouse: screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
        raw,
    }
}

fn cells(count: u16) -> std::num::NonZeroU16 {
    count.try_into().unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        ..PtySize::default()
    }
}
