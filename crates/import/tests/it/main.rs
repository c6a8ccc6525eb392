//! Import as its callers see it: files of the file system and of memory in, an architecture out.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod load;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
