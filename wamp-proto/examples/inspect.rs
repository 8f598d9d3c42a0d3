//! Shows what is on a wire: reads WAMP frames, one per line as hex, and prints each as WAMP JSON or in another format.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use wamp_proto::{Format, Limits, PayloadCheck, decode, encode};

const USAGE: &str = "\
usage: inspect [--from FORMAT] [--to FORMAT]

Reads one frame per line as hex from standard input and prints one line for each. FORMAT is json, msgpack or cbor.

  --from FORMAT  the format of the frames; json if it is left out
  --to FORMAT    re-encodes each frame and prints it as hex; without it, prints compact WAMP JSON

Binary values are strings of U+0000 and base64 in WAMP JSON. Empty lines are skipped. For a line that is no hex, no frame, or
has a value that the other format lacks, prints `error: ` and where it is wrong, and goes on; the exit status is then 1.
";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (from, to) = match options(&arguments) {
        Ok(formats) => formats,
        Err(problem) => {
            eprint!("{problem}{USAGE}");
            return ExitCode::from(2);
        }
    };
    match inspect(from, to, io::stdin().lock(), io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("inspect: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The formats that the arguments name; an error says, if anything but `--help` is wrong, what.
pub(crate) fn options(arguments: &[String]) -> Result<(Format, Option<Format>), String> {
    let (mut from, mut to) = (Format::Json, None);
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(option) = arguments.next() {
        match option {
            "--from" => from = format(option, arguments.next())?,
            "--to" => to = Some(format(option, arguments.next())?),
            "--help" | "-h" => return Err(String::new()),
            _ => return Err(format!("inspect: what is {option:?}?\n\n")),
        }
    }
    Ok((from, to))
}

fn format(option: &str, name: Option<&str>) -> Result<Format, String> {
    let name = name.unwrap_or_default();
    Format::from_subprotocol(&format!("wamp.2.{name}"))
        .ok_or_else(|| format!("inspect: {option} takes json, msgpack or cbor, not {name:?}\n\n"))
}

/// Prints a line for each frame, and tells whether all of them were messages.
pub(crate) fn inspect(
    from: Format,
    to: Option<Format>,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<bool> {
    let mut all = true;
    for line in input.split(b'\n') {
        let line = line?;
        let digits = line.trim_ascii();
        if digits.is_empty() {
            continue;
        }
        match line_of(digits, from, to) {
            Ok(mut shown) => {
                shown.push(b'\n');
                output.write_all(&shown)?;
            }
            Err(problem) => {
                all = false;
                writeln!(output, "error: {problem}")?;
            }
        }
    }
    output.flush()?;
    Ok(all)
}

fn line_of(digits: &[u8], from: Format, to: Option<Format>) -> Result<Vec<u8>, String> {
    let frame = unhex(digits)?;
    let message = decode(frame.into(), from, &Limits::new(), PayloadCheck::OnReceipt).map_err(|e| e.to_string())?;
    let mut frame = Vec::new();
    let target = to.unwrap_or(Format::Json);
    encode(&message, target, &mut frame).map_err(|e| e.to_string())?;
    if target == Format::Json {
        compact(&mut frame);
    }
    Ok(if to.is_some() { hex(&frame) } else { frame })
}

/// Removes white space outside of strings; JSON payloads keep what they were received with.
fn compact(json: &mut Vec<u8>) {
    let (mut in_string, mut escaped) = (false, false);
    json.retain(|byte| {
        if escaped {
            escaped = false;
        } else {
            escaped = in_string && *byte == b'\\';
            in_string ^= *byte == b'"';
        }
        in_string || !byte.is_ascii_whitespace()
    });
}

fn unhex(digits: &[u8]) -> Result<Vec<u8>, String> {
    let value = |(at, digit): (usize, &u8)| {
        let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        value.ok_or_else(|| format!("byte {}: {:?} is no hex digit", at / 2, char::from(*digit)))
    };
    let values: Vec<u8> = digits.iter().enumerate().map(value).collect::<Result<_, _>>()?;
    let (pairs, rest) = values.as_chunks();
    if !rest.is_empty() {
        return Err(format!("byte {}: an odd number of hex digits", pairs.len()));
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}
