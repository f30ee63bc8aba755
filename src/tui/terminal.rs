//! The terminal: taken over for the screen, given back as it was, whatever ends the program.

use std::io::{self, BufWriter, Stdout, Write};
use std::panic;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event, MouseEventKind,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue, terminal};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc;

use super::msg::Msg;

/// True while the terminal is ours: what gives it back does so once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
pub struct Screen {
    pub terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: bool,
}

impl Screen {
    pub fn take() -> io::Result<Self> {
        give_back_on_panic();
        enter()?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stdout()));
        let taken = Terminal::new(backend);
        if taken.is_err() {
            give_back();
        }
        Ok(Self {
            terminal: taken?,
            mouse: false,
        })
    }

    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }

    /// Draws one frame; a terminal that can shows it as a whole.
    pub fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(draw)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Write::flush(self.terminal.backend_mut())
    }

    /// Gives the terminal to somebody else for a while.
    fn lend<T>(&mut self, keys: &Keys, borrow: impl FnOnce() -> T) -> io::Result<T> {
        keys.pause();
        give_back();
        let done = borrow();
        enter()?;
        if self.mouse {
            self.mouse(true)?;
        }
        keys.resume();
        // Not `clear`: it asks the terminal where its cursor is, and the keys' thread may be the one
        // that gets the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())?;
        Ok(done)
    }

    /// To the shell, as Ctrl-Z does elsewhere; returns when the job is in front again.
    pub fn suspend(&mut self, keys: &Keys) -> io::Result<()> {
        #[cfg(unix)]
        {
            self.lend(keys, || {
                signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)
            })??;
        }
        #[cfg(not(unix))]
        let _ = keys;
        Ok(())
    }

    /// The user's editor on a file.
    pub fn edit(&mut self, keys: &Keys, path: &Path) -> io::Result<()> {
        let named = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        let editor = named("VISUAL").or_else(|| named("EDITOR"));
        let editor = editor.unwrap_or_else(|| "vi".to_owned());
        // "code --wait": a command with arguments.
        let mut words = editor.split_whitespace();
        let program = words.next().unwrap_or("vi").to_owned();
        let mut command = Command::new(&program);
        command.args(words).arg(path);
        let status = self.lend(keys, || command.status())?;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(io::Error::other(format!("{program} ended with {status}"))),
            Err(error) => Err(io::Error::new(error.kind(), format!("{program}: {error}"))),
        }
    }

    /// Puts text on the clipboard by OSC 52, through tmux where there is one. Whether the terminal
    /// obeys cannot be known.
    pub fn copy(&mut self, bytes: &[u8]) -> io::Result<()> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
        let sequence = format!("\x1b]52;c;{encoded}\x07");
        let out = self.terminal.backend_mut();
        if std::env::var_os("TMUX").is_some() {
            // tmux hands on what is wrapped, its escapes doubled, and takes the bare one itself.
            let doubled = sequence.replace('\x1b', "\x1b\x1b");
            write!(out, "\x1bPtmux;{doubled}\x1b\\")?;
        }
        out.write_all(sequence.as_bytes())?;
        Write::flush(out)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let entered = execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    );
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Gives the terminal back. A terminal that is gone needs nothing.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let left = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let cooked = terminal::disable_raw_mode();
    if left.is_err() || cooked.is_err() {
        tracing::debug!("the terminal is gone");
    }
}

/// A panic of the screen's own thread gives the terminal back before it is told. Others do not end
/// the program: they are told in the log.
fn give_back_on_panic() {
    let screen = std::thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen {
            give_back();
            before(info);
        } else if TAKEN.load(Ordering::SeqCst) {
            tracing::error!("{info}");
        } else {
            before(info);
        }
    }));
}

/// The thread that reads keys.
pub struct Keys {
    paused: Arc<AtomicBool>,
    /// Set by the thread while it does not read.
    idle: Arc<AtomicBool>,
}

/// How long the thread waits for a key before it looks whether it is to pause.
const LOOK: Duration = Duration::from_millis(100);

impl Keys {
    /// Reads until nobody takes what it reads.
    pub fn listen(sender: mpsc::Sender<Msg>) -> io::Result<Self> {
        let keys = Self {
            paused: Arc::default(),
            idle: Arc::default(),
        };
        let (paused, idle) = (keys.paused.clone(), keys.idle.clone());
        std::thread::Builder::new()
            .name("evtap-keys".to_owned())
            .spawn(move || {
                while !sender.is_closed() {
                    if paused.load(Ordering::SeqCst) {
                        idle.store(true, Ordering::SeqCst);
                        std::thread::sleep(LOOK / 5);
                        continue;
                    }
                    idle.store(false, Ordering::SeqCst);
                    let msg = match event::poll(LOOK) {
                        Ok(false) => continue,
                        Ok(true) => event::read().map(message),
                        Err(error) => Err(error),
                    };
                    let sent = match msg {
                        Ok(Some(msg)) => sender.blocking_send(msg),
                        Ok(None) => continue,
                        // The terminal is gone.
                        Err(_) => {
                            sender.blocking_send(Msg::Stop).ok();
                            return;
                        }
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            })?;
        Ok(keys)
    }

    fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
        // The thread answers within its look; it may have ended, too.
        for _ in 0..40 {
            if self.idle.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(LOOK / 20);
        }
    }

    fn resume(&self) {
        self.idle.store(false, Ordering::SeqCst);
        self.paused.store(false, Ordering::SeqCst);
    }
}

fn message(event: Event) -> Option<Msg> {
    Some(match event {
        Event::Key(key) => Msg::Key(key),
        Event::Paste(text) => Msg::Paste(text),
        Event::Resize(width, height) => Msg::Resize(width, height),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollDown => Msg::Wheel(3),
            MouseEventKind::ScrollUp => Msg::Wheel(-3),
            MouseEventKind::Down(_) => Msg::Click {
                column: mouse.column,
                row: mouse.row,
            },
            _ => return None,
        },
        Event::FocusGained | Event::FocusLost => return None,
    })
}
