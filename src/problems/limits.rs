//! What the problems on estimators have in common: failures of the mathematics as ends of a run, rows that
//! projections do not have, and the memory and the threads a run may take.

use crate::attention::{AttentionError, Projection};
use crate::lab::{Draft, Kind, Machine, Param, ParamError, Params, RunError, Schema};
use crate::memory::size;
use crate::threads;
use rustix::process::{Resource, getrlimit};
use std::path::Path;

/// A failure of the attention floor, as the end of a run.
pub(super) fn failure(error: impl Into<AttentionError>) -> RunError {
    match error.into() {
        AttentionError::Stopped => RunError::Stopped,
        AttentionError::Memory(short) => RunError::Failed(short.to_string()),
        error @ AttentionError::Device(_) => RunError::Failed(error.to_string()),
        error => RunError::Input(error.to_string()),
    }
}

/// Checks that the projections asked for have rows of the length `dim`.
pub(super) fn check_dims(params: &Params) -> Result<(), ParamError> {
    for projection in params.choices::<Projection>("projection") {
        for dim in params.sizes("dim") {
            if let Err(AttentionError::Dimension { least, most, .. }) = projection.check_dim(dim) {
                let limit = if dim < least { format!("at least {least}") } else { format!("at most {most}") };
                return Err(ParamError::new("dim", dim.to_string(), format!("{limit} with projection={projection}")));
            }
        }
    }
    Ok(())
}

/// Checks that the projections asked for have rows as long as vectors from files or models, of `dims` coordinates.
pub(super) fn check_stored_dims(params: &Params, dims: impl IntoIterator<Item = usize>) -> Result<(), ParamError> {
    for dim in dims {
        for projection in params.choices::<Projection>("projection") {
            if let Err(AttentionError::Dimension { least, most, .. }) = projection.check_dim(dim) {
                let found = format!("{projection} with vectors of {dim} coordinates");
                let allowed = format!("another projection: this one takes vectors of {least} to {most} coordinates");
                return Err(ParamError::new("projection", found, allowed));
            }
        }
    }
    Ok(())
}

/// What products, threads and the allocator take beside the arrays of a run, in bytes.
pub(super) const BUFFERS: f64 = 16.0 * 1024.0 * 1024.0;

/// What the program takes beside its runs, in bytes.
const PROGRAM: f64 = 64.0 * 1024.0 * 1024.0;

/// The memory that this process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemoryLimit {
    /// Bytes; none where nothing limits it, or nothing is known.
    pub bytes: Option<u64>,
    /// Whose limit it is, in words.
    pub whose: &'static str,
}

impl MemoryLimit {
    /// The smallest of this machine's memory, the limits of the control groups this process is in, and the limit on its
    /// address space.
    pub fn here() -> Self {
        let machine = Some(Machine::here().memory << 20).filter(|bytes| *bytes > 0);
        let address_space = getrlimit(Resource::As).current;
        [
            (machine, "this machine has"),
            (control_groups(Path::new("/proc/self/cgroup"), Path::new("/sys/fs/cgroup")), "its control group allows"),
            (address_space, "the limit on its address space allows"),
        ]
        .into_iter()
        .filter_map(|(bytes, whose)| Some(Self { bytes: Some(bytes?), whose }))
        .min_by_key(|limit| limit.bytes)
        .unwrap_or(Self { bytes: None, whose: "" })
    }
}

/// The largest value of `key`.
pub(super) fn largest(params: &Params, key: &str) -> usize {
    params.sizes(key).into_iter().max().unwrap_or(0)
}

/// The threads of a run of `params` whose work falls into `pieces`, when it has the machine to itself.
pub(super) fn threads(params: &Params, pieces: usize) -> usize {
    threads::or_default(params.size("threads")).min(pieces).max(1)
}

/// Refuses a run that needs more memory than this process may take, with the parameter to lower: of `keys` the one that is
/// largest beside its default, of those that can be lowered enough. `peak` gives the bytes for the largest value of each key.
pub(super) fn check_memory(
    params: &Params,
    schema: &Schema,
    keys: &[&'static str],
    peak: impl Fn(&dyn Fn(&str) -> usize) -> f64,
) -> Result<(), ParamError> {
    refuse(MemoryLimit::here(), params, schema, keys, peak)
}

fn refuse(
    limit: MemoryLimit,
    params: &Params,
    schema: &Schema,
    keys: &[&'static str],
    peak: impl Fn(&dyn Fn(&str) -> usize) -> f64,
) -> Result<(), ParamError> {
    let Some(most) = limit.bytes.map(|bytes| bytes as f64 - PROGRAM) else { return Ok(()) };
    let given = |key: &str| largest(params, key);
    let need = peak(&given);
    if need <= most {
        return Ok(());
    }
    let with = |key: &str, value: usize| peak(&|other| if other == key { value } else { given(other) });
    let least = |param: &Param| match param.kind {
        Kind::Int { min, .. } => usize::try_from(min).unwrap_or(0),
        _ => 0,
    };
    let excess = |param: &Param| {
        let default = param.default.split(',').filter_map(|text| text.parse::<f64>().ok()).fold(1.0, f64::max);
        given(param.key) as f64 / default
    };
    // What is not read cannot be lowered: a file has its own length.
    let draft = Draft::from_params(params);
    let is_read = |param: &&Param| draft.reads(schema, param);
    let params_of_keys: Vec<&Param> =
        keys.iter().filter_map(|key| schema.get(key)).map(|param| param as &Param).filter(is_read).collect();
    let enough = |param: &&&Param| with(param.key, least(param)) <= most;
    let by_excess = |a: &&&Param, b: &&&Param| excess(a).total_cmp(&excess(b));
    let lowered = params_of_keys.iter().filter(enough).max_by(by_excess).or(params_of_keys.iter().max_by(by_excess));
    let Some(param) = lowered else { return Ok(()) };
    let (mut fits, mut fails) = (least(param), given(param.key));
    let possible = with(param.key, fits) <= most;
    while possible && fails - fits > 1 {
        let middle = fits.midpoint(fails);
        if with(param.key, middle) <= most { fits = middle } else { fails = middle }
    }
    let (bytes, whose) = (size(need as u128), limit.whose);
    let there = size(limit.bytes.unwrap_or(0).into());
    if !possible && let Some(key) = stored(params) {
        let found = format!("{}, with which the run needs {bytes}", params.text(key));
        return Err(ParamError::new(key, found, format!("fewer tokens: {whose} {there}")));
    }
    let allowed = if possible {
        format!("at most {fits} beside the other parameters: {whose} {there}")
    } else {
        format!("less of it and of others among {}: {whose} {there}", keys.join(", "))
    };
    Err(ParamError::new(param.key, format!("{}, with which the run needs {bytes}", given(param.key)), allowed))
}

/// The parameter that names the file or model whose tokens a run looks at; none where some are drawn.
fn stored(params: &Params) -> Option<&'static str> {
    params.get("inputs")?;
    let inputs = params.texts("inputs");
    if !inputs.iter().all(|inputs| ["file", "checkpoint"].contains(inputs)) {
        return None;
    }
    let is_named = |key: &&str| params.get(key).is_some() && !params.text(key).is_empty();
    ["x", "queries", "checkpoint"].into_iter().find(is_named)
}

/// The smallest memory limit of the control groups that `membership` (/proc/self/cgroup) names, and of those above them.
fn control_groups(membership: &Path, root: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(membership).ok()?;
    let limit = |file: &Path| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let of_line = |line: &str| {
        // 0::/path in version 2; N:memory:/path in version 1.
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let (folder, name) = match controllers {
            "" => (root.to_path_buf(), "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let group = folder.join(group);
        let above = group.ancestors().take_while(|path| path.starts_with(&folder));
        above.filter_map(|path| limit(&path.join(name))).min()
    };
    text.lines().filter_map(of_line).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn limits_of_control_groups_are_read_up_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let (root, membership) = (folder.path().join("cgroup"), folder.path().join("membership"));
        fs::create_dir_all(root.join("jobs/one")).unwrap();
        fs::create_dir_all(root.join("memory/one")).unwrap();
        let of = |lines: &str| {
            fs::write(&membership, lines).unwrap();
            control_groups(&membership, &root)
        };
        assert_eq!(of("0::/jobs/one\n"), None);
        fs::write(root.join("jobs/memory.max"), "1000\n").unwrap();
        fs::write(root.join("jobs/one/memory.max"), "max\n").unwrap();
        assert_eq!(of("0::/jobs/one\n"), Some(1000));
        fs::write(root.join("memory/one/memory.limit_in_bytes"), "700\n").unwrap();
        assert_eq!(of("5:cpu:/one\n4:memory:/one\n0::/jobs/one\n"), Some(700));
        assert_eq!(of("no line of a membership\n"), None);
    }

    #[test]
    fn a_run_that_needs_more_is_refused_with_the_parameter_to_lower() {
        static PARAMS: &[Param] = &[Param::int("m", "m", 1, 4096, "16"), Param::int("dim", "d", 1, 4096, "16")];
        let schema = Schema(PARAMS);
        let refused = |m: &str, dim: &str, bytes: f64| {
            let params = Params::with(&schema, &[("m", m), ("dim", dim)]).unwrap();
            let limit = MemoryLimit { bytes: Some(bytes as u64), whose: "this machine has" };
            let peak = |size: &dyn Fn(&str) -> usize| 1e6 * (size("m") * size("dim")) as f64;
            refuse(limit, &params, &schema, &["m", "dim"], peak).map_err(|error| error.to_string())
        };
        assert_eq!(refused("64", "16", 1024e6 + PROGRAM), Ok(()));
        assert_eq!(
            refused("4096", "16", 1024e6 + PROGRAM).unwrap_err(),
            "m: found `4096, with which the run needs 61.0 GiB`, allowed: at most 64 beside the other parameters: this machine has 1.0 GiB"
        );
        assert!(refused("64", "2048", 1024e6 + PROGRAM).unwrap_err().starts_with("dim: found `2048,"));
        let text = refused("64", "32", PROGRAM).unwrap_err();
        assert!(text.contains("less of it and of others among m, dim"), "{text}");
    }
}
