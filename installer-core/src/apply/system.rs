//! The steps that make the deployed image the admin's own: files, accounts, keys, records.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::time::{SystemTime, UNIX_EPOCH};

use super::report::Log;
use super::run::Run;
use super::unfinished;
use crate::error::{Context, Error, Result, Stage};
use crate::host::root::Root;
use crate::plan::AUTH_FILE;
use crate::system::accounts::Accounts;
use crate::system::fstab::{self, FstabEntry};
use crate::system::password::crypt;
use crate::system::{GroupPlan, UserPlan};

/// Where the installation's own records go in the installed system.
const RECORDS: &str = "/var/log/bootc-ks";

/// Writes a file of the system.
fn write(run: &Run<'_>, path: &str, content: &str, mode: u32, owner: Option<(u32, u32)>) -> Result<()> {
    let system = run.system()?;
    system.write(path, content.as_bytes(), mode, owner).doing(Stage::System, format_args!("writing {path}"))
}

/// Writes /etc/fstab.
pub fn fstab(run: &mut Run<'_>, entries: &[FstabEntry]) -> Result<()> {
    let entries: Vec<FstabEntry> =
        entries.iter().map(|entry| FstabEntry { source: run.names.fill(&entry.source), ..entry.clone() }).collect();
    write(run, "/etc/fstab", &fstab::fstab(&entries), 0o644, None)
}

fn read_accounts(system: &dyn Root) -> std::io::Result<Accounts> {
    let text = |path: &str| Ok::<_, std::io::Error>(system.read(path)?.unwrap_or_default());
    let subids = match (system.read("/etc/subuid")?, system.read("/etc/subgid")?) {
        (Some(uids), Some(gids)) => Some((uids, gids)),
        _ => None,
    };
    Ok(Accounts {
        passwd: text("/etc/passwd")?,
        shadow: text("/etc/shadow")?,
        group: text("/etc/group")?,
        gshadow: system.read("/etc/gshadow")?,
        subids,
        vendor_passwd: text("/usr/lib/passwd")?,
        vendor_group: text("/usr/lib/group")?,
    })
}

fn write_accounts(run: &mut Run<'_>, old: &Accounts, new: &Accounts) -> Result<()> {
    let pair = |pair: &Option<(String, String)>, second: bool| {
        pair.as_ref().map(|(a, b)| if second { b.clone() } else { a.clone() })
    };
    let list = [
        ("/etc/group", 0o644, Some(old.group.clone()), Some(new.group.clone())),
        ("/etc/gshadow", 0o600, old.gshadow.clone(), new.gshadow.clone()),
        ("/etc/shadow", 0o600, Some(old.shadow.clone()), Some(new.shadow.clone())),
        ("/etc/subuid", 0o644, pair(&old.subids, false), pair(&new.subids, false)),
        ("/etc/subgid", 0o644, pair(&old.subids, true), pair(&new.subids, true)),
        // Last, so that no account exists before all that belongs to it.
        ("/etc/passwd", 0o644, Some(old.passwd.clone()), Some(new.passwd.clone())),
    ];
    for (path, mode, old, new) in list {
        if let Some(new) = new.filter(|new| old.as_ref() != Some(new)) {
            write(run, path, &new, mode, None)?;
        }
    }
    Ok(())
}

fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400)
}

/// Makes a group.
pub fn group(run: &mut Run<'_>, group: &GroupPlan) -> Result<()> {
    let system = run.system()?;
    let old = read_accounts(system.as_ref()).doing(Stage::System, "reading the image's accounts")?;
    let mut new = old.clone();
    new.add_group(group)
        .map_err(|error| Error::input(Stage::System, format!("creating the group {}", group.name)).because(error))?;
    write_accounts(run, &old, &new)
}

/// Makes a user with its home.
pub fn user(run: &mut Run<'_>, user: &UserPlan) -> Result<()> {
    let system = run.system()?;
    let old = read_accounts(system.as_ref()).doing(Stage::System, "reading the image's accounts")?;
    let mut new = old.clone();
    let hash = run.plan.passwords.get(&user.name).map(crypt).transpose()?;
    let identity = new
        .add_user(user, hash.as_deref(), today())
        .map_err(|error| Error::input(Stage::System, format!("creating the user {}", user.name)).because(error))?;
    write_accounts(run, &old, &new)?;
    if identity.existed {
        return Ok(());
    }
    let home = || -> std::io::Result<()> {
        system.create_dir(&identity.home, 0o700, identity.uid, identity.gid)?;
        system.copy_tree("/etc/skel", &identity.home, identity.uid, identity.gid)
    };
    home().doing(Stage::System, format_args!("making the home {}", identity.home))
}

/// Adds keys to a user's authorized_keys.
pub fn ssh_keys(run: &mut Run<'_>, user: &str, keys: &[String]) -> Result<()> {
    let system = run.system()?;
    let accounts = read_accounts(system.as_ref()).doing(Stage::System, "reading the image's accounts")?;
    let field = |line: &str, index: usize| line.split(':').nth(index).map(str::to_owned);
    let entry = [&accounts.passwd, &accounts.vendor_passwd]
        .into_iter()
        .flat_map(|text| text.lines())
        .find(|line| field(line, 0).as_deref() == Some(user));
    let parsed = entry.and_then(|line| {
        Some((field(line, 2)?.parse::<u32>().ok()?, field(line, 3)?.parse::<u32>().ok()?, field(line, 5)?))
    });
    let Some((uid, gid, home)) = parsed else {
        return Err(Error::failed(Stage::System, format!("there is no user '{user}' to give an ssh key")));
    };
    let doing = format!("writing the ssh keys of {user}");
    if !system.exists(&home) {
        // Root's home in an image is a link to /var/roothome, which is made at the first boot.
        let place = if user == "root" { "/var/roothome" } else { home.as_str() };
        system.create_dir(place, 0o700, uid, gid).doing(Stage::System, &doing)?;
    }
    let (dir, file) = (format!("{home}/.ssh"), format!("{home}/.ssh/authorized_keys"));
    system.create_dir(&dir, 0o700, uid, gid).doing(Stage::System, &doing)?;
    let mut text = system.read(&file).doing(Stage::System, &doing)?.unwrap_or_default();
    for key in keys {
        if text.lines().any(|line| line == key) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(key);
        text.push('\n');
    }
    system.write(&file, text.as_bytes(), 0o600, Some((uid, gid))).doing(Stage::System, &doing)
}

/// Writes the credentials for updates.
pub fn credentials(run: &mut Run<'_>) -> Result<()> {
    let text = run.plan.credentials.clone();
    let text = text.ok_or_else(|| Error::failed(Stage::System, "the credentials did not come with the plan"))?;
    write(run, AUTH_FILE, text.expose(), 0o600, Some((0, 0)))
}

/// Sets root's password, or sees to it that none opens the account.
pub fn root_password(run: &mut Run<'_>) -> Result<()> {
    let system = run.system()?;
    let old = read_accounts(system.as_ref()).doing(Stage::System, "reading the image's accounts")?;
    let mut new = old.clone();
    let hash = run.plan.passwords.get("root").map(crypt).transpose()?;
    new.set_password("root", hash.as_deref(), false, today());
    write_accounts(run, &old, &new)
}

/// Records, labels, and everything unmounted.
pub fn finish(run: &mut Run<'_>) -> Result<()> {
    super::record::write(run)?;
    records(run)?;
    run.deployer.label(run)?;
    run.pass("before", None, "boot")?;
    unfinished::end(run)?;
    run.pass("after", None, "boot")?;
    super::freeze::of_what_stays_mounted(run);
    run.teardown.unwind_to(0, run.host)
}

/// What this installation has written into its log so far.
fn of_this_run(log: &Log) -> std::io::Result<String> {
    let mut file = fs::File::open(&log.path)?;
    let mut text = Vec::new();
    // What is no file (`/dev/stderr`) cannot be read again.
    if file.metadata()?.is_file() {
        file.seek(SeekFrom::Start(log.from))?;
        file.read_to_end(&mut text)?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Log, plan and kickstart, as a record of how this machine came to be.
fn records(run: &mut Run<'_>) -> Result<()> {
    if run.deployed.is_none() {
        return Ok(());
    }
    let system = run.system()?;
    system.create_dir(RECORDS, 0o700, 0, 0).doing(Stage::Finish, format_args!("making {RECORDS}"))?;
    let plan = serde_json::to_string_pretty(run.plan).doing(Stage::Finish, "writing the plan")?;
    write(run, &format!("{RECORDS}/plan.json"), &plan, 0o600, None)?;
    if let Some(kickstart) = run.options.kickstart.clone() {
        write(run, &format!("{RECORDS}/kickstart.ks"), &kickstart, 0o600, None)?;
    }
    if let Some(log) = &run.options.log {
        let text = of_this_run(log).doing(Stage::Finish, format_args!("reading {}", log.path.display()))?;
        write(run, &format!("{RECORDS}/install.log"), &text, 0o600, None)?;
    }
    Ok(())
}
