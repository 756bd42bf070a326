//! A server that nobody waits for: nginx with one worker, one document over http and https.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;
use crate::home::{World, private_file};
use crate::tls::{DOCUMENT, certificate};
use crate::tools;

/// It ends with this value.
pub struct Nginx {
    process: Child,
    /// Where it is over http.
    pub http: String,
    /// Where it is over https, HTTP/1.1 alone.
    pub https: String,
    /// The certificate of its authority.
    pub authority: PathBuf,
}

impl Nginx {
    /// Starts it; `None` where it is not installed, which is said.
    pub fn start(world: &World) -> Result<Option<Self>, Failure> {
        if !tools::is_there("nginx", "nginx-light", "the part `batch`") {
            return Ok(None);
        }
        let folder = world.folder().join("nginx");
        std::fs::create_dir_all(folder.join("logs"))?;
        let authority = folder.join("authority.pem");
        let (own, key) = certificate(&authority)?;
        std::fs::write(folder.join("own.pem"), own.pem())?;
        private_file(&folder.join("key.pem"), key.serialize_pem().as_bytes())?;
        let [http, https] = [free_port()?, free_port()?];
        std::fs::write(folder.join("nginx.conf"), configuration(&folder, http, https))?;
        let mut command = world.command("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf"));
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self {
            process: quiet.spawn()?,
            http: format!("http://127.0.0.1:{http}"),
            https: format!("https://localhost:{https}"),
            authority,
        };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, https)).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                return Err("nginx does not come up".into());
            }
            // It tells nobody that it listens.
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(started))
    }
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn configuration(folder: &std::path::Path, http: u16, https: u16) -> String {
    let folder = folder.display();
    format!(
        "daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600; default_type application/json;
  server {{ listen 127.0.0.1:{http}; location / {{ return 200 '{DOCUMENT}'; }} }}
  server {{
    listen 127.0.0.1:{https} ssl; ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ return 200 '{DOCUMENT}'; }}
  }}
}}
"
    )
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its master ends its worker on this signal alone.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}
