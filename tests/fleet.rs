//! The page of `bootc-ks netboot serve`, as a real browser shows it.

use std::fs;

use crate::support::bootserver::{Server, Site};
use serde_json::json;

/// Machines in every state, on a server that runs.
fn fleet(site: &Site, server: &Server<'_>, title: &str) {
    let mac = |n: u32| format!("52:54:00:00:01:{n:02x}");
    let arm = |names: &[&str]| site.netboot(&[&["arm"], names].concat()).exits(0);
    arm(&["db-1", "web-1", "web-2", "web-3", "web-4", "web-5", "web-6", "cache-1"]);
    // Gone ahead: armed machines ask, some fetch their kickstart and report.
    let token = |n: u32| server.token(&mac(n));
    let (db, web1, web2, web3, web4) = (token(1), token(2), token(3), token(4), token(5));
    for token in [&db, &web1, &web2, &web3] {
        assert_eq!(server.get(&format!("/ks/{token}")).status, 200);
    }
    let step = |token: &str, step: u64, title: &str| {
        let event = json!({"event": "step-started", "step": step, "steps": 20, "title": title});
        assert_eq!(server.report(token, "events", &event.to_string()).status, 204);
    };
    step(&db, 2, "write a GPT with 4 partitions");
    let error = json!({"state": "failed", "error": {
        "message": "no disk is as large as 40 GiB: vda has 20 GiB",
        "hint": "add a larger one, or make /srv smaller"}});
    assert_eq!(server.report(&db, "state", &error.to_string()).status, 204);
    step(&web1, 9, "import the image: 66 layers, 812 MiB to fetch");
    let bytes = json!({"event": "progress", "done": 431u64 << 20, "total": 812u64 << 20});
    assert_eq!(server.report(&web1, "events", &bytes.to_string()).status, 204);
    step(&web2, 17, title);
    let warning = json!({"event": "warning", "message": "no signature of the image is verified; its digest is pinned"});
    assert_eq!(server.report(&web2, "events", &warning.to_string()).status, 204);
    step(&web3, 20, "write everything to the disk and unmount");
    assert_eq!(server.report(&web3, "state", r#"{"state":"installed"}"#).status, 204);
    assert_eq!(web4.len(), 32);
    // This one is unknown.
    server.get("/ipxe?mac=52:54:00:00:00:99&serial=CZ1234ABCD");
}

fn fleet_site() -> Site {
    let mut machines = "[default]\nkickstart = 'any.ks'\n".to_owned();
    for (n, name) in
        ["db-1", "web-1", "web-2", "web-3", "web-4", "web-5", "web-6", "cache-1", "spare-1"].iter().enumerate()
    {
        machines += &format!("[[machine]]\nname = '{name}'\nmac = '52:54:00:00:01:{:02x}'\n", n + 1);
    }
    let site = Site::new(&machines);
    site.write("any.ks", "autopart\n");
    site
}

/// Runs Chromium on a page, in a profile of its own.
fn chromium(site: &Site, args: &[&str], url: &str) -> String {
    let mut chromium = std::process::Command::new(crate::support::need("chromium", "chromium"));
    chromium.env("HOME", site.path("")).arg(format!("--user-data-dir={}", site.path("profile").display()));
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
    chromium.args(["--window-size=1280,800", "--virtual-time-budget=4000"]);
    crate::support::run(chromium.args(args).arg(url))
}

/// A real browser shows machines in every state, and runs nothing that a machine said.
#[test]
fn the_page_shows_the_fleet() {
    let site = fleet_site();
    let server = site.start();
    fleet(&site, &server, "create the user <script>document.title='broken'</script>");
    let page = chromium(&site, &["--dump-dom"], &server.url());
    for part in [
        ">live</span>",
        "<span class=\"state failed\">failed</span>",
        "<span class=\"state installing\">installing</span>",
        "<span class=\"state booting\">booting</span>",
        "<span class=\"state armed\">armed</span>",
        "<span class=\"state installed\">installed</span>",
        "<span class=\"state unknown\">unknown</span>",
        "<b class=\"armed\">3</b>armed",
        "aria-label=\"web-1: step 9 of 20\"",
        "431 MiB of 812 MiB",
        "no disk is as large as 40 GiB: vda has 20 GiB",
        "or make /srv smaller",
        "&lt;script&gt;document.title='broken'&lt;/script&gt;",
        "not in machines.toml",
        "<title>bootc-ks: machines</title>",
    ] {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
    let picture = crate::support::source_root().join("target/fleet.png");
    chromium(&site, &[&format!("--screenshot={}", picture.display())], &server.url());
    let png = fs::read(&picture).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 20_000, "{} bytes", png.len());
}

/// Takes the picture of docs/netboot.md again: `make pictures`.
#[test]
#[ignore = "changes the documentation"]
fn the_picture_of_the_documentation() {
    let site = fleet_site();
    let server = site.start();
    fleet(&site, &server, "create the user admin");
    let picture = crate::support::source_root().join("docs/images/fleet.png");
    fs::create_dir_all(picture.parent().unwrap()).unwrap();
    chromium(&site, &[&format!("--screenshot={}", picture.display())], &server.url());
}
