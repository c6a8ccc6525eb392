#![allow(clippy::all, clippy::print_stdout, clippy::unwrap_used, missing_docs)]
use std::path::PathBuf;
fn main(){
 let args:Vec<String>=std::env::args().skip(1).collect();
 let cat=PathBuf::from(&args[0]);
 let mut files=vec![];
 fn walk(d:&std::path::Path,out:&mut Vec<(String,String)>){ for e in std::fs::read_dir(d).unwrap(){ let p=e.unwrap().path(); if p.is_dir(){walk(&p,out)} else {out.push((p.to_string_lossy().into_owned(),std::fs::read_to_string(&p).unwrap()))}}}
 walk(&cat,&mut files); files.sort();
 let (s,errs)=bartizan_import::Services::load(files.iter().map(|(a,b)|(a.as_str(),b.as_str())));
 for e in &errs {println!("CATERR {e}")}
 let t0=std::time::Instant::now();
 let tree=bartizan_import::load(&[PathBuf::from(&args[1])]).unwrap();
 let a=bartizan_import::import(&tree,&s);
 let t=t0.elapsed();
 let v=args.get(2).map(|s|s.as_str()).unwrap_or("");
 if v.contains('c'){ for c in a.components.values(){ println!("{} [{}] name={} stack={} acct={:?} reg={:?}",c.address,c.component_type,c.name,c.stack,c.account,c.region); if v.contains('s'){for (k,n) in &c.settings{ if !n.value.is_null(){println!("    {k} = {:?} @{}:{}",n.value,a.sources.path(n.span),a.sources.start(n.span).line)}}}}}
 if v.contains('l'){ for l in &a.links{ println!("{} -{:?}-> {} via {} @{}",l.from,l.relation,l.to,l.attribute,l.span.map(|s|format!("{}:{}",a.sources.path(s),a.sources.start(s).line)).unwrap_or_default())}}
 if v.contains('d'){ for d in &a.diagnostics{ println!("{:?} {} {} @{}",d.severity,d.code,d.message,d.span.map(|s|format!("{}:{}",a.sources.path(s),a.sources.start(s).line)).unwrap_or_default())}}
 let mut codes=std::collections::BTreeMap::new(); for d in &a.diagnostics{*codes.entry(d.code).or_insert(0)+=1;}
 println!("components {} links {} unknown types {:?} diags {:?} time {:?}",a.components.len(),a.links.len(),a.unknown_types.len(),codes,t);
 if v.contains('u'){ println!("{:?}",a.unknown_types)}
}
