//! One PostgreSQL for the whole test binary, and a database of its own, control schema migrated, for every test.
//!
//! ```ignore
//! let db = harness::pg::database().await;
//! let database = Database::new(&db.settings().database).unwrap();
//! ```
//!
//! The server ends with the test binary, however that ends, and its directory is removed then.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use secretaria::cli::demo::postgres::{PostgresOptions, PostgresServer, find_bin, psql};
use secretaria::config::{Settings, Sources};
use secretaria::tenant::AdminDb;

/// The database every test's one is copied from.
const TEMPLATE: &str = "template_migrated";

struct Cluster {
    server: PostgresServer,
    dir: PathBuf,
    /// Numbers of databases; company numbers are counted from it too, as company roles belong to the whole server.
    next: AtomicU64,
}

/// A database of one test. Dropped, it is removed.
pub struct TestDatabase {
    /// Its name.
    pub name: String,
    /// URL of the application's role.
    pub url: String,
    /// URL of the migrator.
    pub admin_url: String,
    /// URL of the superuser.
    pub bootstrap_url: String,
    /// A directory of the test's own, for keys and files; removed with the database.
    pub dir: tempfile::TempDir,
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::Builder::new().prefix("secretaria-it-").tempdir().unwrap().keep();
        // The servers' user passes through.
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o711)).unwrap();
        let server =
            PostgresServer::start(&dir.join("pg"), PostgresOptions { tests: true, ..PostgresOptions::default() })
                .unwrap();
        sweep_afterwards(&dir, server.socket_dir());
        server.psql("postgres", &create_sql(TEMPLATE, "template1")).unwrap();
        let cluster = Cluster { server, dir, next: AtomicU64::new(1) };
        migrate(&settings_of(&cluster, TEMPLATE));
        cluster
    })
}

/// Nothing drops a static, so a shell waits for the end of this process (its stdin closes) and of the server (its
/// pid file goes), and removes what is left.
fn sweep_afterwards(dir: &Path, sockets: &Path) {
    let script = format!(
        "read -r _; for _ in $(seq 200); do [ -e '{0}/pg/postmaster.pid' ] || break; sleep 0.05; done; rm -rf -- '{0}' '{1}'",
        dir.display(),
        sockets.display()
    );
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: Ctrl-C at the terminal does not end it too early.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    // The pipe must stay open for as long as this process lives.
    std::mem::forget(command.spawn().unwrap());
}

/// On a thread of its own: the first test to ask may be inside a runtime.
fn migrate(settings: &Settings) {
    let work = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let admin = AdminDb::connect(&settings.database).await.unwrap();
            admin.migrate_control().await.unwrap();
        });
    };
    std::thread::scope(|scope| scope.spawn(work).join().unwrap());
}

fn create_sql(name: &str, template: &str) -> String {
    format!(
        "CREATE DATABASE {name} TEMPLATE {template} OWNER secretaria_migrator;
         REVOKE ALL ON DATABASE {name} FROM PUBLIC;
         GRANT CONNECT ON DATABASE {name} TO secretaria_app;\n"
    )
}

fn settings_of(cluster: &Cluster, database: &str) -> Settings {
    let sources = Sources::default()
        .with("profile", "test")
        .with("database.url", cluster.server.url("secretaria_app", database))
        .with("database.admin_url", cluster.server.url("secretaria_migrator", database))
        .with("security.master_key", "ab".repeat(32));
    Settings::load(&sources).unwrap().0
}

async fn make(template: &'static str) -> TestDatabase {
    let made = tokio::task::spawn_blocking(move || {
        let cluster = cluster();
        let number = cluster.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let mut sql = create_sql(&name, template);
        if template == TEMPLATE {
            sql.push_str(&format!(
                "\\connect {name}\nALTER TABLE control.company ALTER COLUMN id RESTART WITH {}000;\n",
                number
            ));
        }
        cluster.server.psql("postgres", &sql).unwrap();
        TestDatabase {
            url: cluster.server.url("secretaria_app", &name),
            admin_url: cluster.server.url("secretaria_migrator", &name),
            bootstrap_url: cluster.server.url("bootstrap", &name),
            dir: tempfile::tempdir_in(&cluster.dir).unwrap(),
            name,
        }
    });
    made.await.unwrap()
}

/// A database with the control schema and no company.
pub async fn database() -> TestDatabase {
    make(TEMPLATE).await
}

/// A database with nothing in it.
pub async fn empty_database() -> TestDatabase {
    make("template1").await
}

impl TestDatabase {
    /// Settings of the test profile with this database, and a master key given by value.
    pub fn settings(&self) -> Settings {
        settings_of(cluster(), &self.name)
    }

    /// Runs SQL as the superuser; what it prints, unaligned.
    pub fn sql(&self, sql: &str) -> Result<String, String> {
        psql(&find_bin().unwrap().join("psql"), &self.bootstrap_url, sql)
    }

    /// Runs SQL as the application's role, which is what an intruder in the process could do.
    pub fn sql_as_app(&self, sql: &str) -> Result<String, String> {
        psql(&find_bin().unwrap().join("psql"), &self.url, sql)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Disk only; the server goes anyway.
        let _ = cluster().server.psql("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
