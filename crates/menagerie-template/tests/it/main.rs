//! The generated root module and the tf tree that it uses, judged by the real Terraform.

#[cfg(test)]
mod modules;
#[cfg(test)]
mod observability;
#[cfg(test)]
mod overrides;
#[cfg(test)]
mod production;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod root;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod start_script;
#[cfg(test)]
mod terraform;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod wiring;
