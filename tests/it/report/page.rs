//! The HTML page: a self-contained file for any content of the cache.

use super::numbers;
use crate::support::cli::CliTest;
use base64::prelude::{BASE64_STANDARD, Engine};
use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;

/// Renders a report, and checks that the page is well-formed and has no external links and no NaN.
fn page(test: &CliTest, options: &str) -> Document<'static> {
    let said = test.prep(&format!("report --out page.html {options}"));
    assert!(said.starts_with("wrote ") && said.ends_with(" to page.html\n"), "{said}");
    let text = String::from_utf8(test.read("page.html")).unwrap();
    let (text, script) = without_scripts(&text);
    let hash = BASE64_STANDARD.encode(Sha256::digest(&script));
    let policy = format!("script-src 'sha256-{hash}'");
    assert!(
        text.contains(&policy),
        "SCRIPT_HASH in src/report/page/document.rs must be sha256-{hash}"
    );
    for foreign in ["http:", "https:", "//", "url(", "@import", "<script", "<link", "src="] {
        let at = text.find(foreign);
        assert!(at.is_none(), "{foreign} in ...{}", &text[at.unwrap()..][..60]);
    }
    let page = parse(&text);
    // Every position that is linked in the page is in its data.
    let whole = String::from_utf8(test.read("page.html")).unwrap();
    for place in attributes(&page, "data-position", |_| true) {
        assert!(whole.contains(&format!("\"{place}\":{{\"g\":")), "{place}");
    }
    for node in page.descendants() {
        let handler = node.attributes().find(|attribute| attribute.name().starts_with("on"));
        assert!(handler.is_none(), "{handler:?}");
    }
    for word in words(&page, is("body")).split(|c: char| !c.is_alphanumeric()) {
        assert!(!["NaN", "inf", "Infinity", "null"].contains(&word), "{options}: {word}");
    }
    let ids = attributes(&page, "id", |_| true);
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "ids are unique");
    for link in attributes(&page, "href", is("a")) {
        assert!(ids.contains(&link.strip_prefix('#').unwrap()), "{link} leads nowhere");
    }
    let plots: Vec<_> = page.descendants().filter(is("svg")).collect();
    assert!(plots.len() > 20);
    for plot in plots {
        assert!(plot.has_attribute("viewBox") && plot.attribute("role") == Some("img"));
        assert!(plot.attribute("aria-label").is_some_and(|what| !what.is_empty()));
    }
    page
}

/// A page without its two script elements, and the executable one; the other is data.
fn without_scripts(page: &str) -> (String, String) {
    let (before, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (data, rest) = rest.split_once("</script>").unwrap();
    serde_json::from_str::<serde_json::Value>(data).unwrap();
    let (between, rest) = rest.split_once("<script>").unwrap();
    let (script, after) = rest.split_once("</script>").unwrap();
    (format!("{before}{between}{after}"), script.to_owned())
}

/// Parses a page as XML, which is stricter than HTML, after closing the elements without end tags.
fn parse(html: &str) -> Document<'static> {
    let mut xml = String::new();
    for (index, part) in html.split('<').enumerate() {
        let is_void = ["meta", "wbr"]
            .iter()
            .any(|name| part.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '>'])));
        xml += if index > 0 { "<" } else { "" };
        xml += &if is_void { part.replacen('>', "/>", 1) } else { part.to_owned() };
    }
    let xml = xml.replacen("<!DOCTYPE html>", "", 1);
    Document::parse_with_options(xml.leak(), ParsingOptions::default()).unwrap()
}

/// Elements with this name, such as `svg`; class, such as `.tiles`; or id, such as `#games`.
fn is<'p>(selector: &'static str) -> impl Fn(&Node<'p, 'static>) -> bool {
    move |node| match selector.split_at(1) {
        ("#", id) => node.attribute("id") == Some(id),
        (".", class) => {
            let classes = node.attribute("class").unwrap_or_default();
            classes.split(' ').any(|found| found == class)
        }
        _ => node.has_tag_name(selector),
    }
}

fn text(element: Node<'_, '_>) -> String {
    element.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

fn words<'p>(page: &'p Document<'static>, is: impl Fn(&Node<'p, 'static>) -> bool) -> String {
    page.descendants().filter(is).map(text).collect()
}

fn attributes<'p>(
    page: &'p Document<'static>,
    name: &str,
    is: impl Fn(&Node<'p, 'static>) -> bool,
) -> Vec<&'p str> {
    page.descendants().filter(is).filter_map(|node| node.attribute(name)).collect()
}

fn sections<'p>(page: &'p Document<'static>) -> Vec<&'p str> {
    attributes(page, "id", is("section"))
}

fn warnings(page: &Document<'static>) -> String {
    words(page, |node| is(".warning")(node) && node.parent().as_ref().is_some_and(is(".findings")))
}

#[test]
fn sections_and_numbers() {
    let test = CliTest::ingested(30);
    test.prep("export --out old --seed 1");
    test.prep("export --out new");
    let page = page(&test, "--export new --against old");
    assert_eq!(
        sections(&page),
        [
            "games", "time", "replay", "wins", "points", "actions", "cards", "heads", "unseen",
            "illegal", "splits", "drift", "features"
        ]
    );
    let numbers = numbers(&test, "");
    let rows = numbers["cache"]["rows"].as_u64().unwrap();
    assert!((1_000..10_000).contains(&rows));
    let grouped = format!("{},{:03}", rows / 1000, rows % 1000);
    assert!(words(&page, is(".tiles")).contains(&format!("{grouped}rows")));
    assert!(words(&page, is("#games")).contains(&grouped));
    // A table has every column.
    let features = words(&page, is("#features"));
    for name in ["gems_board_white", "player3_card14_distance_total", "player3_position_3"] {
        assert!(features.contains(name), "{name}");
    }
    let (_, unrecorded) = features.split_once("the log does not record them: ").unwrap();
    let (unrecorded, constant) = unrecorded.split_once('.').unwrap();
    assert_eq!(unrecorded.split(", ").count(), 9, "2 of each seat and the total: {unrecorded}");
    // Those that are constant as a rule are not among the first.
    let (first, _) = constant.split_once(" more").unwrap();
    assert!(!first.contains("reserved2") && !first.contains("card14"), "{first}");
    let is_unusual = |node: &Node<'_, 'static>| {
        is(".box")(node) && text(*node).starts_with("Most unusual positions")
    };
    let unusual = page.descendants().find(is_unusual).unwrap().descendants();
    let games: Vec<&str> =
        unusual.filter_map(|node| node.attribute("data-position")?.split('-').next()).collect();
    assert_eq!(games.len(), games.iter().collect::<BTreeSet<_>>().len(), "{games:?}");
    assert!(games.len() > 3);
    // The counts of rare classes link to the first position with that label.
    let heads = numbers["heads"].as_object().unwrap().values();
    let first_at = heads.flat_map(|head| head["classes"].as_array().unwrap()).map(|class| {
        let (game, row) = (&class["first_at"]["game_id"], &class["first_at"]["row_in_game"]);
        (format!("{game}-{row}"), class["chosen"].as_u64().unwrap())
    });
    let first_at: Vec<(String, u64)> = first_at.collect();
    let heads = page.descendants().find(is("#heads")).unwrap().descendants();
    let links = heads.filter_map(|node| Some((node.attribute("data-position")?, text(node))));
    let links: Vec<(&str, String)> = links.collect();
    for (place, count) in &links {
        let is_linked =
            |(first, chosen): &(String, u64)| first == place && chosen.to_string() == *count;
        assert!(first_at.iter().any(is_linked), "{place}: {count}");
    }
    assert!(links.len() > 3);
}

#[test]
fn dark_mode_and_phones() {
    let test = CliTest::ingested(3);
    let page = page(&test, "");
    let style = words(&page, is("style"));
    assert!(style.contains("prefers-color-scheme: dark"));
    // The stylesheet replaces every color that is drawn.
    let drawn: BTreeSet<&str> = ["fill", "stroke"]
        .into_iter()
        .flat_map(|what| attributes(&page, what, |_| true))
        .filter(|color| *color != "none")
        .collect();
    assert!(drawn.len() > 5);
    for color in drawn {
        assert!(style.contains(&format!("svg [fill=\"{color}\"]{{fill:var(--")), "{color}");
    }
    assert!(attributes(&page, "name", is("meta")).contains(&"viewport"));
    assert!(attributes(&page, "width", is("svg")).is_empty(), "a plot has the width of its box");
    // A column's name is one word of up to 47 letters, which must be wrapped outside tables.
    for (selector, rule) in [
        ("\n.findings {", "minmax(0, 1fr)"),
        ("\n.findings li {", "overflow-wrap: anywhere"),
        ("\n.named {", "overflow-wrap: anywhere"),
        ("\n.from {", "overflow-wrap: anywhere"),
    ] {
        let (_, block) = style.split_once(selector).unwrap();
        assert!(block.split('}').next().unwrap().contains(rule), "{selector} {rule}");
    }
}

/// A truncated name could match several columns.
#[test]
fn drift_plot_has_full_names() {
    let test = CliTest::ingested(12);
    test.prep("export --out old");
    test.prep("simulate raw --games 12 --first-id 13 --seed 3");
    test.prep("ingest raw");
    test.prep("export --out new");
    let page = page(&test, "--export new --against old");
    let diff = numbers(&test, "--export new --against old")["export"]["since"].take();
    let title = "Columns with the largest shift of their mean";
    let is_plot = |node: &Node<'_, '_>| node.attribute("aria-label") == Some(title);
    let plot = page.descendants().find(is_plot).unwrap();
    let drawn: Vec<String> = plot.descendants().filter(is("text")).map(text).collect();
    for mean in &diff["means"].as_array().unwrap()[..15] {
        let name = mean["column"].as_str().unwrap();
        assert!(drawn.iter().any(|text| text.trim() == name), "{name} in {drawn:?}");
    }
}

#[test]
fn one_game() {
    let test = CliTest::ingested(1);
    let page = page(&test, "");
    assert!(words(&page, is(".tiles")).starts_with("1game"));
    assert!(!sections(&page).contains(&"splits"));
}

#[test]
fn refused_logs_are_escaped() {
    let test = CliTest::ingested(5);
    test.write("raw/<b onload=x>&amp;/77.csv", "no,log\n1,2\n");
    assert_eq!(test.run("ingest raw").code, 3);
    let page = page(&test, "");
    let refused = words(&page, is("#refused"));
    assert!(refused.contains("game 77, refused: <b onload=x>&amp;/77.csv"), "{refused}");
    assert!(warnings(&page).contains("1 log was refused"));
}

/// The page of a game has every position, and no text of a name or a log can close its data element.
#[test]
fn page_of_a_game() {
    let test = CliTest::ingested(3);
    let log = test.read("raw/3_games/2.csv");
    test.write("raw/<script>&amp;/2.csv", &log);
    let rows = log.iter().filter(|&&byte| byte == b'\n').count() - 1;
    for (game, named) in
        [("2", "prep.sqlite"), ("raw/<script>&amp;/2.csv", "&lt;script&gt;&amp;amp;/2.csv")]
    {
        let said = test.prep(&format!("inspect {game} --html"));
        assert!(said.starts_with("wrote ") && said.ends_with(" to game-2.html\n"), "{said}");
        let text = String::from_utf8(test.read("game-2.html")).unwrap();
        assert!(text.contains(named), "{named}");
        let (rest, _) = without_scripts(&text);
        assert!(!rest.contains("<script"));
        let page = parse(&rest);
        assert_eq!(attributes(&page, "data-position", |_| true).len(), rows);
        for row in 0..rows {
            assert!(text.contains(&format!("\"2-{row}\":{{\"g\":2,\"r\":{row},")), "{row}");
        }
    }
    // A page of a game replaces only such a page.
    test.prep("report");
    for (arguments, why) in [
        ("--out report.html", "report.html exists and is not a page of prep inspect"),
        ("--out raw", "raw is a folder: give a file in it, such as --out raw/game-2.html"),
    ] {
        let ran = test.run(&format!("inspect 2 --html {arguments}"));
        assert!(ran.code == 1 && ran.stderr.contains(why), "{ran:#?}");
    }
    assert!(test.run("report --out game-2.html").stderr.contains("is not a report of prep"));
    test.prep("inspect 2 --html --out report.html --force -q");
    assert_eq!(test.run("inspect 2 --html --row 3").code, 2);
}

#[test]
fn empty_splits() {
    let test = CliTest::ingested(6);
    for options in [
        "--split 1,0,0",
        "--split 0.5,0.5,0 --features base",
        "--split 0.01,0.5,0.49 --no-normalize",
    ] {
        test.prep(&format!("export --out export {options}"));
        let page = page(&test, "--export export");
        assert!(words(&page, is("#splits")).contains("0 games"), "{options}");
        assert!(warnings(&page).contains("No game of the export is in"));
        assert!(!sections(&page).contains(&"drift"), "there is nothing to compare with");
        let columns = words(&page, is("#features")).contains("the export has 422 of them: ");
        assert_eq!(columns, options.contains("base"), "{options}");
    }
    test.prep("export --out other");
    // Without training rows there are no means, and with different columns no comparison.
    page(&test, "--export export --against other");
    test.prep("export --out export --features base");
    page(&test, "--export export --against other");
}

#[test]
fn errors_write_nothing() {
    let test = CliTest::ingested(3);
    let failed = |arguments: &str, code: i32, why: &str| {
        let ran = test.run(arguments);
        assert!(ran.code == code && ran.stderr.contains(why), "{arguments}: {ran:#?}");
        assert!(!test.path("report.html").exists(), "{arguments}");
    };
    failed("report --export raw", 1, "cannot read the export raw: it has no manifest.json");
    failed("report --against raw", 2, "--export");
    test.prep("export --out export");
    failed("report --export export --against raw", 1, "cannot read the export raw");
    fs::write(test.path("export/preprocessing_stats.json"), "{}").unwrap();
    failed("report --export export", 1, "preprocessing_stats.json does not match");
    test.prep("ingest raw --max-games 1");
    fs::remove_dir_all(test.path("raw")).unwrap();
    fs::create_dir(test.path("raw")).unwrap();
    test.run("ingest raw --allow-delete");
    failed("report", 1, "the cache holds no games");
}

#[test]
fn json_writes_no_file() {
    let test = CliTest::ingested(2);
    numbers(&test, "");
    assert!(!test.path("report.html").exists());
    test.prep("report");
    assert!(test.path("report.html").exists());
    test.prep("report -q --out deep/er/page.html");
    assert_eq!(test.read("deep/er/page.html"), test.read("report.html"));
}
