//! `bootc-ks netboot serve`, `arm`, `list` and `show`: the real command and real HTTP.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::bootserver::{KICKSTART, Site, environment};
use serde_json::json;

const MACHINES: &str = r#"
[common]
kargs = ["inst.sshd"]
[[machine]]
name = "web-1"
mac = "52:54:00:00:00:01"
uuid = "4c4c4544-0051-3010-8052-b4c04f4d3432"
kickstart = "site.ks"
kargs = ["console=tty0"]
vars = { hostname = "web-1.example.com" }
[[machine]]
name = "web-2"
serial = "SN/2"
kickstart = "site.ks"
vars = { hostname = "web-2.example.com" }
[[machine]]
name = "broken"
mac = "52:54:00:00:00:03"
kickstart = "site.ks"
"#;
const MAC: &str = "52:54:00:00:00:01";

fn rendered() -> String {
    KICKSTART.replace("{{ hostname }}", "web-1.example.com")
}

#[test]
fn a_machine_is_installed_once_and_its_way_is_seen() {
    let site = Site::new(MACHINES);
    let server = site.start();
    let chain = server.get("/boot.ipxe").text;
    let asks = format!("chain {}/ipxe?mac=${{netX/mac}}&uuid=${{uuid}}&serial=${{serial:uristring}}", server.url());
    assert!(chain.contains(&asks), "{chain}");
    assert!(server.get(&format!("/ipxe?mac={MAC}")).text.contains("sanboot"), "no machine is installed unasked");

    site.netboot(&["arm", "web-1"]).exits(0).says(&["web-1 is installed at its next boot"]);
    assert_eq!(server.machine("web-1")["state"], "armed");
    let script = server.get(&format!("/ipxe?mac={MAC}&uuid=4C4C4544-0051-3010-8052-B4C04F4D3432&serial=X1")).text;
    let token = server.token(MAC);
    assert_eq!(token.len(), 32);
    for part in [
        format!("kernel {}/files/vmlinuz ", server.url()),
        " ip=dhcp ".into(),
        " console=ttyS0 quiet inst.sshd console=tty0 ".into(),
        format!(" bootc-ks.report={}/v1/report/{} ", server.url(), pxe::serve::token::for_reports(&token)),
        format!("initrd --name ks.cfg {}/ks/{token} /ks.cfg mode=600", server.url()),
    ] {
        assert!(script.contains(&part), "no `{part}` in\n{script}");
    }
    assert_eq!(server.get("/files/vmlinuz").text, "a kernel");
    assert_eq!(server.get(&format!("/ks/{token}")).text, rendered());
    assert_eq!(server.machine("web-1")["state"], "installing");

    let events = [
        json!({"type": "started", "schema": 1, "plan": format!("sha256:{}", "0".repeat(64)), "steps": 20}),
        json!({"type": "step-started", "step": 9, "steps": 20, "title": "import the image"}),
        json!({"type": "of-a-newer-installer", "what": 1}),
        // As it was before every line had a type.
        json!({"event": "progress", "done": 50, "total": 100}),
    ];
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    assert_eq!(server.report(&token, "events", &lines).status, 204);
    let progress = server.machine("web-1")["progress"].clone();
    assert_eq!((progress["step"].as_u64(), progress["done"].as_u64()), (Some(9), Some(50)));
    let list = site.netboot(&["list"]).exits(0).stdout;
    assert!(list.lines().any(|l| l.starts_with("web-1 ") && l.ends_with("import the image")), "{list}");

    assert_eq!(server.report(&token, "state", r#"{"state":"installed"}"#).status, 204);
    assert_eq!(server.report(&token, "log", "all is well\n").status, 204);
    assert_eq!(site.netboot(&["show", "web-1", "--log"]).exits(0).stdout, "all is well\n");
    let shown = site.netboot(&["show", MAC]).exits(0).stdout;
    assert!(shown.contains("State:      installed"), "{shown}");
    assert!(server.get(&format!("/ipxe?mac={MAC}")).text.contains("sanboot --no-describe --drive 0x80"));
    assert_eq!(server.get(&format!("/ks/{token}")).status, 403, "the kickstart is gone with the installation");
}

#[test]
fn nothing_secret_is_given_to_who_may_not_have_it() {
    let site = Site::new(MACHINES);
    let server = site.start();
    let nothing = |path: &str, headers: &[(&str, &str)]| {
        let answer = server.ask(path, headers);
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        assert!(!answer.text.contains("hunter2"), "{path}: {answer:?}");
    };
    let anaconda = [("X-RHN-Provisioning-MAC-0", "eth0 52:54:00:00:00:01"), ("X-System-Serial-Number", "SN/2")];
    nothing("/ks", &[]);
    nothing(&format!("/ks?mac={MAC}"), &[]);
    nothing("/ks", &anaconda);
    nothing("/ks/0123456789abcdef0123456789abcdef", &[]);
    nothing("/ks?token=", &[]);

    // Armed: the real one and no other.
    site.netboot(&["arm", "web-1"]).exits(0);
    nothing("/ks?mac=52:54:00:00:00:99", &[]);
    nothing(&format!("/ks?mac={MAC}&uuid=11111111-0051-3010-8052-b4c04f4d3432"), &[]);
    assert_eq!(server.machine("web-1")["state"], "armed", "who lies takes nothing away");
    assert!(server.machine("web-1")["remarks"][0]["text"].as_str().unwrap().contains("its UUID is 1111"));
    let token = server.token(MAC);
    // The one on the kernel's command line opens the reports alone.
    let reports = pxe::serve::token::for_reports(&token);
    nothing(&format!("/ks/{reports}"), &[]);
    nothing(&format!("/ks/{reports}/cpio"), &[]);
    nothing(&format!("/ks?token={reports}"), &[]);
    assert_eq!(server.post(&format!("/v1/report/{token}/events"), &[], "").status, 404);
    nothing(&format!("/ks?mac={MAC}"), &[]);
    nothing("/ks", &anaconda);
    nothing(&format!("/ks/{}", &token[..31]), &[]);
    assert_eq!(server.get(&format!("/ks?token={token}")).text, rendered());

    // Anaconda, by its headers, once.
    site.netboot(&["arm", "web-2"]).exits(0);
    let headers = [("X-RHN-Provisioning-MAC-0", "eth0 52:54:00:00:00:77"), ("X-System-Serial-Number", "SN/2")];
    assert!(server.ask("/ks", &headers).text.contains("--hostname=web-2.example.com"));
    nothing("/ks", &headers);

    // What wants an admin.
    for (headers, status) in [
        (vec![], 401),
        (vec![("Authorization", "Bearer 0123456789abcdef0123456789abcdef")], 401),
        (vec![("Authorization", "Bearer ")], 401),
    ] {
        assert_eq!(server.post("/v1/machines/broken/arm", &headers, "").status, status);
        assert_eq!(server.ask("/v1/machines/web-1/log", &headers).status, status);
    }
    assert_eq!(server.machine("broken")["state"], "unknown");
    for file in ["state", "state.admin"] {
        assert_eq!(fs::metadata(site.path(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    let admin = site.read("state.admin");
    let admin: serde_json::Value = serde_json::from_str(&admin).unwrap();
    let told = [server.get("/v1/machines").text, server.get("/metrics").text, site.read("serve.log")];
    for secret in ["hunter2", &token, admin["token"].as_str().unwrap()] {
        for text in &told {
            assert!(!text.contains(secret), "a secret in\n{text}");
        }
    }
}

#[test]
fn files_come_whole_or_in_part_and_nothing_else_does() {
    let site = Site::new(MACHINES);
    let server = site.start();
    site.write("env/secret", "hunter2");
    for path in [
        "/files/environment.json",
        "/files/secret",
        "/files/..%2fmachines.toml",
        "/files/%2e%2e/machines.toml",
        "/..%2f..%2fetc%2fpasswd",
        "/secret",
        "/etc/passwd",
        "/files/",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    assert_eq!(server.get("//grubx64.efi").text, "grubx64.efi", "as shim asks for it");
    assert_eq!(server.get("/shimx64.efi").text, "shimx64.efi");
    let part = server.ask("/files/initrd.img", &[("Range", "bytes=3-8")]);
    assert_eq!((part.status, part.text.as_str()), (206, "initra"));
    assert!(part.headers.contains("content-range: bytes 3-8/12\n"), "{}", part.headers);
    assert_eq!(server.ask("/files/initrd.img", &[("Range", "bytes=12-")]).status, 416);
    let curl = crate::support::need("curl", "curl");
    let head = crate::support::run(
        std::process::Command::new(curl).arg("-sI").arg(format!("{}/files/initrd.img", server.url())),
    );
    // GRUB knows this spelling alone.
    assert!(head.contains("200 OK") && head.contains("Content-Length: 12"), "{head}");
    // Half of a new one is not served for the old one.
    fs::write(site.path("env/initrd.img"), "half").unwrap();
    let answer = server.get("/files/initrd.img");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(site.read("serve.log").contains("start the server again"));
}

#[test]
fn a_crash_takes_nothing_back() {
    let site = Site::new(MACHINES);
    let server = site.start();
    site.netboot(&["arm", "web-1", "web-2"]).exits(0);
    let token = server.token(MAC);
    server.crash();
    let server = site.start();
    assert_eq!(server.machine("web-2")["state"], "armed");
    assert_eq!(server.machine("web-1")["state"], "booting");
    assert_eq!(server.get(&format!("/ks/{token}")).text, rendered());
    server.crash();
    let server = site.start();
    assert_eq!(server.machine("web-1")["state"], "installing");
    assert!(server.get(&format!("/ipxe?mac={MAC}")).text.contains("sanboot"), "no second installation");
    let failure = r#"{"state":"failed","error":{"message":"no disk is large enough","hint":"add one"}}"#;
    assert_eq!(server.report(&token, "state", failure).status, 204);
    server.crash();
    let server = site.start();
    assert_eq!(server.machine("web-1")["error"]["message"], "no disk is large enough");
    assert!(site.netboot(&["list"]).exits(0).stdout.contains("no disk is large enough"));
    assert_eq!(server.report(&token, "state", r#"{"state":"installed"}"#).status, 403, "an end is an end");
}

#[test]
fn many_at_once_are_all_answered_with_their_own() {
    const MANY: usize = 400;
    let mut machines = "[default]\nkickstart = 'any.ks'\n".to_owned();
    for n in 0..MANY {
        machines += &format!("[[machine]]\nname = 'm{n}'\nserial = 'S{n}'\n");
    }
    let site = Site::new(&machines);
    site.write("any.ks", "network --hostname={{ machine.name }}\n");
    let server = site.start();
    let names: Vec<String> = (0..MANY).map(|n| format!("m{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    site.netboot(&[&["arm"], names.as_slice()].concat()).exits(0);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                while let n @ 0..MANY = next.fetch_add(1, Ordering::Relaxed) {
                    let script = server.get(&format!("/ipxe?serial=S{n}")).text;
                    let token = script.split_once("/ks/").unwrap().1.split(' ').next().unwrap();
                    let kickstart = server.get(&format!("/ks/{token}")).text;
                    assert_eq!(kickstart, format!("network --hostname=m{n}\n"));
                }
            });
        }
    });
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains(&format!("bootc_ks_machines{{state=\"installing\"}} {MANY}\n")), "{metrics}");
    assert!(metrics.contains("bootc_ks_http_requests_total{status=\"5xx\"} 0\n"), "{metrics}");
}

#[test]
fn what_is_wrong_is_said() {
    let site = Site::new(MACHINES);
    let refused = |code: i32, words: &[&str]| {
        crate::support::cli::finish(&mut site.serve("state")).one_error().exits(code).says(words);
    };
    site.netboot(&["list"]).one_error().exits(3).says(&["state.admin", "hint: 'bootc-ks netboot serve' writes it"]);
    site.write("machines.toml", "[[machine]]\nname = 'a'\nmacc = 'x'\n");
    refused(2, &["machines.toml", "line 3, column 1", "unknown field `macc`"]);
    site.write("machines.toml", MACHINES);
    site.write("env/vmlinuz", "truncat");
    refused(2, &["vmlinuz is not the file", "hint: it was truncated"]);
    environment(&site.path("env"), b"a kernel", b"an initramfs");
    site.write("state", "no database");
    refused(3, &["opening the state in state"]);
    fs::remove_file(site.path("state")).unwrap();

    let server = site.start();
    refused(4, &["another server is using it"]);
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    let second = crate::support::cli::finish(&mut site.serve("other"));
    second.one_error().exits(3).says(&[&format!("listening on 127.0.0.1:{port}"), "hint: something listens there"]);

    site.netboot(&["arm", "missing"]).one_error().exits(2).says(&["there is no machine 'missing'", "netboot list"]);
    site.netboot(&["arm", "52:54:00:00:00:44"]).one_error().exits(2).says(&["has no kickstart", "[default]"]);
    site.netboot(&["arm", "a b\u{1b}"]).one_error().exits(2).says(&["there is no machine"]);
    // A client that says nothing of itself. GRUB runs whatever it is answered.
    let unnamed = server.get("/grub/menu?mac=&uuid=&serial=");
    assert_eq!(unnamed.status, 400);
    assert!(unnamed.text.starts_with("echo 'bootc-ks: neither mac nor uuid"), "{}", unnamed.text);
    // Armed, and not lost by a kickstart that cannot be rendered.
    site.netboot(&["arm", "broken"]).exits(0);
    let script = server.get("/ipxe?mac=52:54:00:00:00:03").text;
    assert!(script.contains("sanboot") && script.contains("line 4"), "{script}");
    assert_eq!(server.machine("broken")["state"], "armed");
    site.write("site.ks", "{% if %}\n");
    site.netboot(&["arm", "web-1"]).one_error().exits(2).says(&["site.ks, line 1: syntax error"]);
    site.write("site.ks", KICKSTART);
    site.netboot(&["arm", "web-1"]).exits(0);
    let token = server.token(MAC);
    site.netboot(&["arm", "web-1"]).one_error().exits(4).says(&["web-1 is booting at this moment", "--force"]);
    site.netboot(&["arm", "--disarm", "web-1"]).one_error().exits(4).says(&["is not armed but booting"]);
    for (what, body, status) in
        [("state", r#"{"state":"done"}"#, 400), ("events", "no JSON", 400), ("nonsense", "", 404)]
    {
        assert_eq!(server.report(&token, what, body).status, status, "{what}");
    }
    assert_eq!(server.report(&token, "events", &"x".repeat(2 << 20)).status, 413);
    // The file is read again, and a mistake in it changes nothing.
    site.write("machines.toml", "oops\n");
    std::thread::sleep(Duration::from_millis(1200));
    assert!(site.netboot(&["list"]).exits(0).says(&["warning: ", "machines.toml"]).stdout.contains("web-2"));
    server.crash();
    site.netboot(&["list"]).one_error().exits(3).says(&["asking the server", "hint: it does not run"]);
}
