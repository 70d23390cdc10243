//! Gives the terminal back when a fatal signal ends the process: a failed allocation aborts it, and a fault in foreign
//! code kills it. The handlers of those signals write what undoes the console's modes, and then the signal ends the
//! process.

#![allow(unsafe_code, reason = "handlers of signals are set by calls of the system")]

use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that end a process and that nothing else here hears.
const FATAL: [libc::c_int; 9] = [
    libc::SIGABRT,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGSYS,
    libc::SIGQUIT,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

/// Ends an escape sequence that was cut off (CAN), then: the frame is whole, no mouse, no bracketed paste, main screen,
/// plain attributes, visible cursor.
const RESTORE: &[u8] = b"\x18\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[0m\x1b[?25h";

/// What the user reads then.
const MESSAGE: &[u8] =
    b"attnlab: the program was ended by a fatal signal, for instance because memory ran out; what the runs had \
written is kept: `attnlab list` shows them, `attnlab resume RUN` goes on\r\n";

/// How the terminal was before the console took it.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();
/// Whether the console has the terminal.
static HELD: AtomicBool = AtomicBool::new(false);

/// Notes how the terminal is, before the console changes it, and sets the handlers; once.
///
/// # Errors
/// The terminal cannot be asked, or the system refuses a handler.
pub fn prepare() -> io::Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    // SAFETY: a `termios` is plain data for which zeroes are valid; `tcgetattr` fills it in.
    let modes = unsafe {
        let mut modes: libc::termios = mem::zeroed();
        if libc::tcgetattr(libc::STDIN_FILENO, &raw mut modes) != 0 {
            return Err(io::Error::last_os_error());
        }
        modes
    };
    BEFORE.get_or_init(|| modes);
    for signal in FATAL {
        // SAFETY: a `sigaction` is plain data for which zeroes are valid. The handler only calls functions that POSIX
        // allows in handlers, and reads atomics. It runs on the thread's spare stack where there is one, as its own
        // may be used up, and is taken away by the system before it runs, so that it cannot be called again.
        let set = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handle as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_ONSTACK | libc::SA_RESETHAND | libc::SA_NODEFER;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(signal, &raw const action, ptr::null_mut())
        };
        if set != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Says whether the console has the terminal, and something is to be given back.
pub fn hold(held: bool) {
    HELD.store(held, Ordering::SeqCst);
}

/// Gives the terminal back and says why, then dies of the signal.
extern "C" fn handle(signal: libc::c_int) {
    if HELD.swap(false, Ordering::SeqCst) {
        give_back();
        write(MESSAGE);
    }
    // SAFETY: `raise` may be called in a handler; the default action is in force again (`SA_RESETHAND`).
    unsafe {
        libc::raise(signal);
    }
}

/// Gives the terminal back, in a handler or where the thread that draws does not answer any more.
pub fn give_back() {
    write(RESTORE);
    if let Some(modes) = BEFORE.get() {
        // SAFETY: `tcsetattr` may be called in a handler, and reads from a reference that lives for ever.
        unsafe {
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, modes);
        }
    }
}

fn write(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: `write` may be called in a handler, and reads within the slice.
        let count = unsafe { libc::write(libc::STDOUT_FILENO, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(count) {
            Ok(count @ 1..) => bytes = &bytes[count.min(bytes.len())..],
            _ => return,
        }
    }
}
