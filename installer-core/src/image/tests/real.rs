//! Against a real registry (the binary of Debian's package docker-registry) on loopback, filled
//! by skopeo.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;

use super::*;

struct Registry {
    process: Child,
    host: String,
    dir: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// bcrypt of the password `right:word`.
const HTPASSWD: &str = "bob:$2b$05$abcdefghijklmnopqrstuuDFn4F0MjnxKLTgj7seOFfqrXnjQEPl2\n";

fn start(with_password: bool) -> Registry {
    let dir = tempfile::tempdir().unwrap();
    let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    std::fs::write(dir.path().join("htpasswd"), HTPASSWD).unwrap();
    let auth = format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", dir.path().join("htpasswd").display());
    let config = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n{}",
        dir.path().join("storage").display(),
        if with_password { &auth } else { "" }
    );
    std::fs::write(dir.path().join("config.yml"), config).unwrap();
    let process = Command::new("docker-registry")
        .arg("serve")
        .arg(dir.path().join("config.yml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs the docker-registry command: install the package docker-registry");
    let registry = Registry { process, host, dir };
    let begun = Instant::now();
    while TcpStream::connect(&registry.host).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "docker-registry does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
    registry
}

impl Registry {
    fn push(&self, image: &Made, name: &str, options: &[&str]) {
        let layout = self.dir.path().join("layout");
        image.layout(&layout, "t");
        self.copy(&layout, name, options);
    }

    fn copy(&self, layout: &Path, name: &str, options: &[&str]) {
        let done = Command::new("skopeo")
            .args(["--insecure-policy", "copy", "-q", "--dest-tls-verify=false"])
            .args(options)
            .arg(format!("oci:{}:t", layout.display()))
            .arg(format!("docker://{}/{name}", self.host))
            .output()
            .expect("this test needs skopeo(1): install the package skopeo");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn open(&self, name: &str, arch: &str, change: impl FnOnce(&mut Access)) -> Result<Image> {
        let mut access = access(self.dir.path());
        access.insecure_registries = vec![self.host.clone()];
        change(&mut access);
        open(&format!("{}/{name}", self.host).parse().unwrap(), arch, &access, Heard::default().sink())
    }
}

fn tars() -> [Vec<u8>; 2] {
    let lower = Tar::system().file("usr/lib/modules/6.1/vmlinuz", vec![7; 200_000]).done();
    let upper = Tar::default().file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"x\"]").done();
    [lower, upper]
}

fn bootable(arch: &str) -> Made {
    made(arch, BOOTABLE, &tars())
}

#[test]
fn every_format_is_read() {
    let registry = start(false);
    let image = bootable("amd64");
    registry.push(&image, "org/os:oci", &[]);
    registry.push(&image, "org/os:docker", &["--format", "v2s2"]);
    let zstd = |data: &[u8]| zstd::encode_all(data, 1).unwrap();
    registry.push(&made_by("zstd", zstd, "amd64", BOOTABLE, &tars()), "org/os:zstd", &[]);
    let plain = registry.open("org/os:oci", "amd64", |_| {}).unwrap();
    assert_eq!(plain.manifest(), image.manifest);
    for (tag, media_type) in [("oci", "vnd.oci"), ("docker", "vnd.docker"), ("zstd", "+zstd")] {
        let image = registry.open(&format!("org/os:{tag}"), "amd64", |_| {}).unwrap();
        assert!(image.layers()[0].media_type.contains(media_type), "{tag}: {:?}", image.layers());
        let facts = resolve(&image).unwrap();
        assert_eq!((facts.kernel.unwrap().version.as_str(), &facts.kargs[..]), ("6.1", &["x".to_owned()][..]));
        assert_eq!(read_all(image.layer_tar(1).unwrap()).unwrap().len() % 512, 0);
    }
    let error = registry.open("org/os:none", "amd64", |_| {}).err().unwrap();
    assert!(error.to_string().contains("does not have"), "{error}");
    let error = registry.open("org/none", "amd64", |_| {}).err().unwrap();
    assert!(error.to_string().contains("does not have"), "{error}");
}

#[test]
fn an_index_is_followed_to_this_architecture() {
    let registry = start(false);
    let layout = registry.dir.path().join("multi");
    let (amd, arm) = (bootable("amd64"), bootable("arm64"));
    amd.write(&layout);
    arm.write(&layout);
    let index = index_of(&[amd.entry(&platform("amd64")), arm.entry(&platform("arm64"))]);
    let digest = Digest::of(&index);
    std::fs::write(layout.join("blobs/sha256").join(digest.hex()), &index).unwrap();
    write_index(
        &layout,
        &[format!(
            r#"{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}","size":{}{}}}"#,
            index.len(),
            named("t")
        )],
    );
    registry.copy(&layout, "org/multi:1", &["--all"]);
    for made in [&amd, &arm] {
        let arch = if *made.manifest == *amd.manifest { "amd64" } else { "arm64" };
        let image = registry.open("org/multi:1", arch, |_| {}).unwrap();
        assert_eq!(*image.manifest_digest(), made.digest());
        assert_eq!(resolve(&image).unwrap().architecture, arch);
    }
    let pinned = registry.open(&format!("org/multi@{digest}"), "arm64", |_| {}).unwrap();
    assert_eq!(*pinned.manifest_digest(), arm.digest());
    let error = registry.open("org/multi:1", "s390x", |_| {}).err().unwrap();
    assert!(error.to_string().contains("exists for amd64, arm64"), "{error}");
}

#[test]
fn passwords_open_the_door() {
    let registry = start(true);
    registry.push(&bootable("amd64"), "org/os:1", &["--dest-creds", "bob:right:word"]);
    let authfile = registry.dir.path().join("auth.json");
    let write = |password: &str| {
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("bob:{password}"));
        std::fs::write(&authfile, format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{auth}\"}}}}}}", registry.host))
            .unwrap();
    };
    let open = || registry.open("org/os:1", "amd64", |access| access.authfile = Some(authfile.clone()));
    write("right:word");
    assert!(resolve(&open().unwrap()).is_ok());
    write("wrong");
    let error = open().err().unwrap();
    assert!(error.to_string().contains("refuses access to org/os with the credentials of"), "{error}");
    let error = registry.open("org/os:1", "amd64", |_| {}).err().unwrap();
    assert!(error.to_string().contains("only to those who are logged in"), "{error}");
}
