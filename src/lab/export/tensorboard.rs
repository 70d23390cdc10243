//! Event files as TensorBoard reads them: TFRecord frames of `tensorflow.Event` messages.
//!
//! The few messages are written by hand in protocol-buffer wire format (fields from TensorFlow's `event.proto`,
//! `summary.proto` and `tensor.proto`, and from `plugin_data.proto` of TensorBoard's hparams plugin); a frame is length,
//! masked CRC-32C of it, message, masked CRC-32C of that.

use super::source::NamedRun;
use crate::lab::record::journal::Tail;
use crate::lab::{Event, LabError, RunState, SeriesView, StoredValue};
use std::collections::BTreeMap;

/// The name by which TensorBoard knows its files.
pub fn file_name(run: &NamedRun<'_>) -> String {
    format!("events.out.tfevents.{}.attnlab", created(run) as u64)
}

/// One scalar for every series, the parameters and the last row's numbers as hyperparameters and their metrics, and the
/// provenance as a text.
///
/// A step is a whole number there. Where the axis says how many steps of the work its unit is, it is the step of the work,
/// so that every series of a training has the same axis; elsewhere it is x where all of a series are whole, and the
/// point's number in its series otherwise.
pub fn events(run: &NamedRun<'_>) -> Result<Vec<u8>, LabError> {
    let began = created(run);
    let mut file = Vec::new();
    frame(&mut file, &message(began, 0, WireField::text(3, "brain.Event:2")));
    let lines = run.provenance().into_iter().map(|(name, text)| format!("    {name}: {text}\n"));
    frame(&mut file, &message(began, 0, WireField::nested(5, &text_summary("provenance", &lines.collect::<String>()))));
    for (tag, data) in hyperparameters(run) {
        frame(&mut file, &message(began, 0, WireField::nested(5, &plugin_summary(&tag, &data))));
    }
    let series = |view: &SeriesView| {
        let whole = view.points.iter().all(|point| point.x.fract() == 0.0 && point.x.abs() < 9e15);
        let plot = run.view.plots.iter().find(|plot| plot.id == view.series.plot);
        let unit = plot.and_then(|plot| plot.x.steps).or(whole.then_some(1.0));
        let tag = [&view.series.plot, &view.series.id].map(String::as_str).join("/");
        (view.series.id.clone(), (tag, unit, 0_i64))
    };
    let mut known: BTreeMap<String, (String, Option<f64>, i64)> = run.view.series.iter().map(series).collect();
    let mut last = (began, 0);
    for stamped in Tail::new(&run.folder).events()? {
        let Event::Point(point) = stamped.event else { continue };
        let Some((tag, unit, count)) = known.get_mut(&point.series) else { continue };
        let step = unit.map_or(*count, |unit| (point.x * unit).round() as i64);
        *count += 1;
        last = (began + stamped.t, step.max(last.1));
        frame(&mut file, &message(began + stamped.t, step, scalar(tag, point.y)));
    }
    for (key, number) in results(run) {
        frame(&mut file, &message(last.0, last.1, scalar(&format!("result/{key}"), number)));
    }
    Ok(file)
}

/// The numbers of the last row.
fn results<'a>(run: &'a NamedRun<'_>) -> impl Iterator<Item = (&'a str, f64)> {
    let row = run.view.rows.last().into_iter().flatten();
    row.filter_map(|(key, value)| Some((key.as_str(), value.as_f64()?)))
}

/// `Summary { value { tag, simple_value } }` as the field of an event.
fn scalar(tag: &str, number: f64) -> Vec<u8> {
    let value = [WireField::text(1, tag), WireField::float(2, number as f32)].concat();
    WireField::nested(5, &WireField::nested(1, &value))
}

/// What the hparams plugin reads, with the tags under which it looks: an experiment with the names of parameters and of
/// metrics, the values of the parameters, and how the run ended.
fn hyperparameters(run: &NamedRun<'_>) -> [(String, Vec<u8>); 3] {
    let began = created(run);
    let infos = run.record.params.iter().map(|(key, value)| {
        let (_, kind) = hyperparameter(value);
        WireField::nested(4, &[WireField::text(1, key), WireField::whole(4, kind)].concat())
    });
    let metrics = results(run).map(|(key, _)| {
        let name = WireField::nested(1, &WireField::text(2, &format!("result/{key}")));
        WireField::nested(5, &[name, WireField::text(3, key)].concat())
    });
    let experiment = [WireField::double(3, began), infos.chain(metrics).flatten().collect()].concat();
    let values = run.record.params.iter().map(|(key, value)| {
        let entry = [WireField::text(1, key), WireField::nested(2, &hyperparameter(value).0)].concat();
        WireField::nested(1, &entry)
    });
    let start = [values.flatten().collect(), WireField::text(4, &run.name), WireField::double(5, began)].concat();
    let status = match run.view.state {
        RunState::Finished => 1,
        RunState::Failed | RunState::Diverged | RunState::Lost | RunState::Stopped => 2,
        RunState::Queued | RunState::Running | RunState::Paused => 3,
    };
    let end = [WireField::whole(1, status), WireField::double(2, began + run.view.seconds)].concat();
    [("experiment", 2, experiment), ("session_start_info", 3, start), ("session_end_info", 4, end)]
        .map(|(tag, field, data)| (format!("_hparams_/{tag}"), WireField::nested(field, &data)))
}

/// A value of a parameter as `google.protobuf.Value`, and its kind for the plugin.
fn hyperparameter(value: &StoredValue) -> (Vec<u8>, u64) {
    const STRING: u64 = 1;
    const BOOL: u64 = 2;
    const FLOAT: u64 = 3;
    let text = value.to_string();
    match (text.parse::<f64>(), text.as_str()) {
        (Ok(number), _) if number.is_finite() => (WireField::double(2, number), FLOAT),
        (_, "yes" | "no") => (WireField::whole(4, u64::from(text == "yes")), BOOL),
        _ => (WireField::text(3, &text), STRING),
    }
}

/// `Summary { value { tag, metadata { plugin_data { "hparams", content } } } }`.
fn plugin_summary(tag: &str, data: &[u8]) -> Vec<u8> {
    let plugin = [WireField::text(1, "hparams"), WireField::nested(2, data)].concat();
    let metadata = WireField::nested(9, &WireField::nested(1, &plugin));
    WireField::nested(1, &[WireField::text(1, tag), metadata].concat())
}

/// Seconds since 1970 when the run was asked for.
fn created(run: &NamedRun<'_>) -> f64 {
    run.record.run.created.parse::<jiff::Timestamp>().map_or(0.0, |time| time.as_millisecond() as f64 / 1e3)
}

/// `Event { wall_time, step, … }`.
fn message(wall_time: f64, step: i64, what: Vec<u8>) -> Vec<u8> {
    [WireField::double(1, wall_time), WireField::whole(2, step as u64), what].concat()
}

/// `Summary { value { tag, metadata { plugin "text" }, tensor of one string } }`.
fn text_summary(tag: &str, text: &str) -> Vec<u8> {
    const STRING: u64 = 7;
    let plugin = WireField::nested(1, &WireField::text(1, "text"));
    let shape = WireField::nested(2, &WireField::nested(2, &WireField::whole(1, 1)));
    let tensor = [WireField::whole(1, STRING), shape, WireField::text(8, text)].concat();
    WireField::nested(
        1,
        &[WireField::text(1, tag), WireField::nested(9, &plugin), WireField::nested(8, &tensor)].concat(),
    )
}

/// Fields of a message in wire format.
struct WireField;

impl WireField {
    fn whole(number: u64, value: u64) -> Vec<u8> {
        [varint(number << 3), varint(value)].concat()
    }

    fn double(number: u64, value: f64) -> Vec<u8> {
        [varint(number << 3 | 1), value.to_le_bytes().to_vec()].concat()
    }

    fn nested(number: u64, bytes: &[u8]) -> Vec<u8> {
        [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
    }

    fn text(number: u64, text: &str) -> Vec<u8> {
        Self::nested(number, text.as_bytes())
    }

    fn float(number: u64, value: f32) -> Vec<u8> {
        [varint(number << 3 | 5), value.to_le_bytes().to_vec()].concat()
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn frame(file: &mut Vec<u8>, message: &[u8]) {
    let length = (message.len() as u64).to_le_bytes();
    file.extend_from_slice(&length);
    file.extend_from_slice(&masked(&length).to_le_bytes());
    file.extend_from_slice(message);
    file.extend_from_slice(&masked(message).to_le_bytes());
}

/// The checksum as the format stores it: rotated, and moved away from checksums of checksums.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::{WireField, frame, varint};

    #[test]
    fn wire_format() {
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!(WireField::text(3, "ab"), [0x1a, 2, b'a', b'b']);
        assert_eq!(WireField::float(2, 1.0), [0x15, 0, 0, 0x80, 0x3f]);
    }

    #[test]
    fn frames_carry_masked_checksums() {
        let mut file = Vec::new();
        frame(&mut file, b"123456789");
        assert_eq!(file.len(), 8 + 4 + 9 + 4);
        // CRC-32C of "123456789" is 0xe3069283 (RFC 3720); masked as in the TFRecord format.
        let expected = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(file[21..], expected.to_le_bytes());
    }
}
