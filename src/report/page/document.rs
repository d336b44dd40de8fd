//! The HTML document around the content of all pages.

use super::palette;
use crate::words::shown_lines;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The SHA-256 of the script in Base64. Browsers run no other script in the page, even if a malicious
/// log, cache or export could insert one. The tests of `report::page` print the required value.
const SCRIPT_HASH: &str = "sha256-T2Nkn5Rpr/8VHB0GeiNs7Q3Ign9xplpAHrn+PijARyc=";

/// Renders a page. It has one script and cannot load or send anything. `generator` is the kind of page,
/// by which commands recognize files that they may replace.
pub(super) fn document(
    generator: &str,
    title: &str,
    content: &Markup,
    position: &Markup,
    data: &Markup,
) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'; base-uri 'none'; \
         form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ (generator) " " (env!("CARGO_PKG_VERSION")) };
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (title) }
                style { (PreEscaped(palette::css())) (PreEscaped(STYLE)) }
            }
            body {
                main { (content) }
                (position)
                (data)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // Escapes control characters, because the content may come from an untrusted cache or export.
    shown_lines(&page.into_string())
}
