//! Pictures from the standard input and to the standard output. They pass through files in a temporary folder: decoders
//! seek in what they read, and a result has to be complete before its first byte is passed on.

use std::fs::File;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};

use srcnn_gpu::atomic::explained;
use srcnn_gpu::limits::Limit;
use srcnn_gpu::{Error, Result};
use tempfile::TempDir;

use srcnn_gpu::picture::extension_of;

/// The argument that stands for the standard input or output.
pub const PIPE: &str = "-";
/// The first bytes of YUV4MPEG2.
const Y4M: &[u8] = b"YUV4MPEG2";

/// Files that stand in for the standard streams.
pub struct Streams {
    folder: TempDir,
    /// The inputs, with a file in place of the standard input.
    pub inputs: Vec<PathBuf>,
    /// A folder in place of the standard output, else the output that was asked for.
    pub output: Option<PathBuf>,
    /// Whether the result goes to the standard output.
    pub to_stdout: bool,
}

impl Streams {
    /// Reads the standard input. `None` if neither stream is asked for.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for several pictures on one stream, [`Error::Picture`] for an input that cannot be read.
    pub fn new(inputs: &[PathBuf], output: Option<&Path>) -> Result<Option<Self>> {
        let is_pipe = |path: &Path| path == Path::new(PIPE);
        let from_stdin = inputs.iter().filter(|path| is_pipe(path)).count();
        let to_stdout = output.map_or(from_stdin > 0 && inputs.len() == 1, is_pipe);
        if from_stdin == 0 && !to_stdout {
            return Ok(None);
        }
        if from_stdin > 1 || (to_stdout && inputs.len() != 1) {
            return Err(Error::invalid(
                "the standard input takes one picture, and so does the standard output",
            ));
        }
        if from_stdin == 1 && output.is_none() && !to_stdout {
            return Err(Error::invalid(
                "the result of the standard input needs a folder, as there are other inputs: name one with -o",
            ));
        }
        if to_stdout && io::stdout().is_terminal() {
            return Err(Error::invalid(
                "the picture would go to the terminal: pipe it to a program, or name a file with -o",
            ));
        }
        let folder = tempfile::Builder::new()
            .prefix("srcnn-gpu-")
            .tempdir()
            .map_err(|e| Error::Output { path: std::env::temp_dir(), reason: e.into() })?;
        let mut inputs = inputs.to_vec();
        if let Some(input) = inputs.iter_mut().find(|path| is_pipe(path)) {
            *input = save_stdin(folder.path())
                .map_err(|e| Error::Picture(explained(e).within("the standard input cannot be read")))?;
        }
        let output = match to_stdout {
            true => Some(folder.path().join("result")),
            false => output.map(PathBuf::from),
        };
        if let Some(output) = output.as_ref().filter(|_| to_stdout) {
            std::fs::create_dir(output)
                .map_err(|e| Error::Output { path: output.clone(), reason: e.into() })?;
        }
        Ok(Some(Self { folder, inputs, output, to_stdout }))
    }

    /// The temporary folder, to be removed if a signal ends the program.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().into()
    }

    /// Passes on the result, if there is one. A reader that has gone away is not an error.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn finish(&self) -> Result<()> {
        let Some(folder) = self.output.as_ref().filter(|_| self.to_stdout) else { return Ok(()) };
        let pass = || -> io::Result<()> {
            for entry in std::fs::read_dir(folder)? {
                io::copy(&mut File::open(entry?.path())?, &mut io::stdout().lock())?;
            }
            Ok(())
        };
        match pass() {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => {
                Err(Error::Output { path: "standard output".into(), reason: explained(e) })
            }
            _ => Ok(()),
        }
    }
}

/// Copies the standard input to a file with the extension of its kind.
fn save_stdin(folder: &Path) -> io::Result<PathBuf> {
    if io::stdin().is_terminal() {
        return Err(io::Error::other("it is a terminal"));
    }
    let mut stdin = io::stdin().lock();
    let extension = extension_of(stdin.fill_buf()?);
    let path = folder.join("stdin").with_extension(extension.unwrap_or_default());
    // It passes through the folder for temporary files, which may be memory.
    let most = Limit::Stdin.get();
    if io::copy(&mut stdin.take(most.saturating_add(1)), &mut File::create(&path)?)? > most {
        return Err(Limit::Stdin.too_long());
    }
    Ok(path)
}

/// Whether the standard input begins like video; consumes nothing of it.
pub fn is_video_on_stdin() -> bool {
    if io::stdin().is_terminal() {
        return false;
    }
    let mut stdin = io::stdin().lock();
    let begin = stdin.fill_buf().unwrap_or_default();
    // A pipe may deliver only a few bytes at first. They are enough, as no picture begins with the same letter.
    !begin.is_empty() && Y4M.starts_with(&begin[..begin.len().min(Y4M.len())])
}
