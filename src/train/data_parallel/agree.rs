//! What the ranks make sure of before the first step: that they run the same version with the same settings on the same
//! pictures, and that each of them is ready.

use super::link::Link;
use crate::error::{Error, Result};
use crate::headless::Gpu;
use crate::headless::adapter::describe;
use crate::ranks::{broadcast, gather};
use crate::train::config::TrainConfig;
use crate::train::{State, checkpoint};

/// Separates the fields of a message.
const FIELD: char = '\u{1f}';

/// Makes sure that all ranks run this version, with these settings: any text that has to be the same. All ranks get the same
/// result.
///
/// # Errors
/// [`Error::Ranks`] with what differs, and where.
pub fn hello(link: &Link, settings: &str) -> Result<()> {
    let own = [env!("CARGO_PKG_VERSION"), settings, &link.ranks.host()].join(&FIELD.to_string());
    let all = gather(&*link.ranks, own.as_bytes())?;
    let all: Vec<_> = all.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    let fields = |text: &'_ str| -> Vec<String> { text.split(FIELD).map(str::to_owned).collect() };
    let first = fields(all.first().map_or("", |text| text));
    for (rank, text) in all.iter().enumerate().skip(1) {
        let other = fields(text);
        let host = other.last().cloned().unwrap_or_default();
        let differ = |at: usize| other.get(at) != first.get(at);
        let what = match (differ(0), differ(1)) {
            (true, _) => "another version of this program than",
            (_, true) => "other arguments than",
            _ => continue,
        };
        return Err(Error::Ranks(format!("rank {rank} ({host}) has {what} rank 0").into()));
    }
    Ok(())
}

/// What rank 0 has found out before the run.
#[derive(Debug)]
pub enum Setup {
    /// Nothing is to be done: the exit code of all ranks.
    End(u8),
    /// A run of this configuration, from this state.
    Begin(Box<(TrainConfig, State)>),
}

/// Hands the setup of rank 0, which gives it, to all ranks.
///
/// # Errors
/// [`Error::Ranks`], and what makes the setup of rank 0 unusable here.
pub fn setup(link: &Link, own: Option<&Setup>) -> Result<Setup> {
    let message = match own {
        Some(Setup::End(code)) => vec![0, *code],
        Some(Setup::Begin(begin)) => {
            let config = begin.0.to_toml()?;
            let length = (config.len() as u64).to_le_bytes();
            [&[1][..], &length, config.as_bytes(), &checkpoint::state_to_bytes(&begin.1)?].concat()
        }
        None => Vec::new(),
    };
    let unknown = || Error::Ranks("rank 0 sends a setup that this one cannot read".into());
    match &broadcast(&*link.ranks, message)?[..] {
        [0, code] => Ok(Setup::End(*code)),
        [1, rest @ ..] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(unknown)?;
            let length = u64::from_le_bytes(*length) as usize;
            let (config, state) = rest.split_at_checked(length).ok_or_else(unknown)?;
            let config = TrainConfig::from_toml(std::str::from_utf8(config).map_err(|_| unknown())?)?;
            Ok(Setup::Begin(Box::new((config, checkpoint::state_from_bytes(state)?))))
        }
        _ => Err(unknown()),
    }
}

/// How a rank stands before the first step: its pictures' fingerprint and its adapter, or why it cannot begin, with the exit
/// code for that.
pub type Ready = std::result::Result<(String, String), (String, u8)>;

/// The same for this rank.
pub fn ready(fingerprint: &str, gpu: &Gpu) -> Ready {
    let driver = format!("{} {} {}", describe(&gpu.info), gpu.info.driver, gpu.info.driver_info);
    Ok((fingerprint.into(), driver.trim().into()))
}

/// What all ranks have agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Ranks whose adapter or driver is another than that of rank 0, with its name: their parameters may differ in the last
    /// bits between two checkpoints.
    pub others: Vec<(usize, String)>,
}

/// Makes sure that all ranks are ready, with the same pictures. All get the same result, so that all can end alike.
///
/// # Errors
/// The outer one is [`Error::Ranks`] when a rank has ended; the inner one lists what is wrong on which rank, and the exit code
/// of the first that cannot begin.
pub fn agree(link: &Link, own: &Ready) -> Result<std::result::Result<Agreed, (Vec<String>, u8)>> {
    const DIFFERENT: u8 = 6;
    let host = link.ranks.host();
    let fields = match own {
        Ok((fingerprint, adapter)) => ["0", fingerprint, adapter, &host].join(&FIELD.to_string()),
        Err((reason, code)) => [&code.to_string(), reason.as_str(), "", &host].join(&FIELD.to_string()),
    };
    let all = gather(&*link.ranks, fields.as_bytes())?;
    let all: Vec<Vec<String>> = all
        .iter()
        .map(|bytes| String::from_utf8_lossy(bytes).split(FIELD).map(str::to_owned).collect())
        .collect();
    let field = |rank: usize, at: usize| all[rank].get(at).map_or("", String::as_str);
    let place = |rank: usize| format!("rank {rank} ({})", field(rank, 3));
    let failed = (0..all.len()).filter(|&rank| field(rank, 0) != "0");
    let lines: Vec<String> =
        failed.clone().map(|rank| format!("{}: {}", place(rank), field(rank, 1))).collect();
    if let Some(first) = failed.clone().next() {
        return Ok(Err((lines, field(first, 0).parse().unwrap_or(DIFFERENT))));
    }
    let differ = |at: usize| (1..all.len()).filter(move |&rank| field(rank, at) != field(0, at));
    let lines: Vec<String> = differ(1)
        .map(|rank| format!("{}: its training pictures are not those of rank 0", place(rank)))
        .collect();
    if !lines.is_empty() {
        return Ok(Err((lines, DIFFERENT)));
    }
    Ok(Ok(Agreed { others: differ(2).map(|rank| (rank, field(rank, 2).to_owned())).collect() }))
}
