//! What has been played live with other stacks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::table::table;
use crate::{Error, read_json};

/// Runs by (peer, whether it derives without the label): how many cells passed, of how many.
type Column = (String, bool);

pub(crate) fn matrix() -> Result<String, Error> {
    let path = "vectors/interop/RESULTS.json";
    let results = read_json(path)?;
    let missing = || Error::Missing(format!("{path} has another form"));
    let mut suites: BTreeMap<(u64, u64), BTreeMap<Column, (usize, usize)>> = BTreeMap::new();
    let mut columns: Vec<Column> = Vec::new();
    for run in results["runs"].as_array().ok_or_else(missing)? {
        let unlabelled = run["unlabelled"].as_bool().ok_or_else(missing)?;
        let peer = run["peer"].as_str().ok_or_else(missing)?.to_string();
        // What ts-mls lacks is put together from its own functions; as published it is beside the point.
        if peer.contains("as published") {
            continue;
        }
        let cells = run["cells"].as_array().ok_or_else(missing)?;
        let passed = cells.iter().filter(|cell| cell["outcome"] == "passed").count();
        let row = run["row"].as_u64().unwrap_or(u64::MAX);
        let number = run["code_point"].as_u64().ok_or_else(missing)?;
        let column = (peer, unlabelled);
        if !columns.contains(&column) {
            columns.push(column.clone());
        }
        suites.entry((row, number)).or_default().insert(column, (passed, cells.len()));
    }
    columns.sort_by_key(|(peer, unlabelled)| (*unlabelled, peer.clone()));
    let head: Vec<_> = columns
        .iter()
        .map(
            |(peer, unlabelled)| {
                if *unlabelled { format!("{peer}, unlabelled") } else { peer.clone() }
            },
        )
        .collect();
    let head: Vec<_> = std::iter::once("Suite").chain(head.iter().map(String::as_str)).collect();
    let rows = suites.iter().map(|((row, number), counts)| {
        let name = if *row == u64::MAX { format!("0x{number:04X}") } else { format!("row {row}") };
        let cell = |column| {
            counts.get(column).map_or("-".into(), |(passed, of)| format!("{passed} of {of}"))
        };
        std::iter::once(name).chain(columns.iter().map(cell)).collect()
    });
    let stacks: BTreeMap<_, _> = results["runs"]
        .as_array()
        .ok_or_else(missing)?
        .iter()
        .filter_map(|run| Some((run["peer"].as_str()?, run["stack"].as_str()?)))
        .filter(|(peer, _)| !peer.contains("as published"))
        .collect();
    let stacks: Vec<_> = stacks.values().copied().collect();
    let ours = results["runs"].as_array().and_then(|runs| runs.first()?.get("ours"));
    let ours = ours.and_then(Value::as_str).ok_or_else(missing)?;
    let text = format!(
        "Our side is {ours}; the peers are {}. Each cell counts the scenarios that passed, with either \
         side founding the group.\n\n",
        stacks.join(" and ")
    );
    Ok(text + &table("matrix", "Live interoperability: scenarios passed", &head, rows))
}
