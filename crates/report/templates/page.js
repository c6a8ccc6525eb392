"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  // ---- building blocks -------------------------------------------------------------------------------------------------------------
  // Text goes in as text; `html:` is only used for fields that were made safe when the page was written.
  const h = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "html") element.innerHTML = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) element.append(child);
    return element;
  };
  const html = (markup) => h("span", { html: markup });
  const place = (at) => (at ? h("code", { class: "place" }, at) : null);
  const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const severityName = (id) => id[0].toUpperCase() + id.slice(1);
  const badge = (severity) => h("span", { class: `badge ${severity}` }, severityName(severity));
  const statusName = { open: "open", question: "waiting for an answer", mitigated: "held by controls", accepted: "accepted" };
  const categoryName = {};
  for (const option of document.querySelectorAll("#threat-filter [name=category] option")) categoryName[option.value] = option.textContent;

  const componentOf = new Map(data.components.map((component) => [component.address, component]));
  const threatOf = new Map(data.threats.map((threat) => [threat.id, threat]));
  const threatsAt = new Map();
  for (const threat of data.threats) {
    for (const target of threat.targets) {
      if (!threatsAt.has(target)) threatsAt.set(target, []);
      threatsAt.get(target).push(threat);
    }
  }
  const flowsAt = new Map();
  for (const flow of data.flows) {
    for (const end of new Set([flow.from, flow.to])) {
      if (!flowsAt.has(end)) flowsAt.set(end, []);
      flowsAt.get(end).push(flow);
    }
  }

  // Long addresses may break where their parts meet.
  const address = (text) => h("code", {}, text.split(/(?<=[._/:])/).flatMap((part, index) => (index ? [h("wbr", {}), part] : [part])));
  const component = (name) =>
    componentOf.has(name) ? h("button", { type: "button", class: "link", onclick: () => openPanel(name) }, address(name)) : address(name);
  const some = (list, most, render) => {
    const box = h("span", {});
    list.slice(0, most).forEach((entry, index) => box.append(index ? ", " : "", render(entry)));
    if (list.length > most) {
      const rest = h("button", { type: "button", class: "link" }, `and ${list.length - most} more`);
      rest.addEventListener("click", () => rest.replaceWith(...list.slice(most).flatMap((entry) => [", ", render(entry)])));
      box.append(" ", rest);
    }
    return box;
  };
  const bullets = (list, most, render) => {
    const box = h("ul", {}, list.slice(0, most).map((entry) => h("li", {}, render(entry))));
    if (list.length > most) {
      const rest = h("button", { type: "button", class: "link" }, `${list.length - most} more`);
      const line = h("li", {}, rest);
      rest.addEventListener("click", () => line.replaceWith(...list.slice(most).map((entry) => h("li", {}, render(entry)))));
      box.append(line);
    }
    return box;
  };
  const copyable = (box) => {
    const code = box.querySelector("pre");
    if (!code || box.querySelector(".copy")) return box;
    const button = h("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", async () => {
      const text = code.innerText;
      let done = false;
      try { await navigator.clipboard.writeText(text); done = true; } catch {
        // A page opened as a file may not be allowed the clipboard's newer interface.
        const area = h("textarea", {}, text);
        document.body.append(area);
        area.select();
        try { done = document.execCommand("copy"); } catch { done = false; }
        area.remove();
      }
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      if (!done) getSelection().selectAllChildren(code);
      setTimeout(() => (button.textContent = "Copy"), 1600);
    });
    box.append(button);
    return box;
  };
  const fixBox = (fix) => {
    const box = copyable(h("div", { class: "fix" }, h("pre", { tabindex: 0 }, h("code", {}, fix.code))));
    const where = fix.at ? h("p", { class: "muted small" }, "Belongs to ", place(fix.at), fix.complete ? "" : "; fill in what is between < and >") : null;
    return h("div", {}, where, box);
  };
  const page = (markup) => {
    const box = h("div", { class: "page", html: markup });
    box.querySelectorAll(".fix").forEach(copyable);
    return box;
  };
  const excerpt = (evidence) => {
    const source = h("pre", { class: "source", tabindex: 0, "aria-label": `Source of ${evidence.at}` });
    evidence.lines.forEach((line, index) => {
      const number = evidence.first_line + index;
      const marked = number >= evidence.marked_from && number <= evidence.marked_to;
      source.append(h("span", { class: marked ? "line marked" : "line" }, h("span", { class: "number" }, number), line + "\n"));
    });
    return h("div", { class: "quote" }, h("p", {}, place(evidence.at), " ", html(evidence.text)), source);
  };

  // ---- long lists: a screenful at a time -------------------------------------------------------------------------------------------
  const BATCH = 40;
  const lists = [];
  const lazy = (container, render, empty) => {
    const list = { entries: [], shown: 0 };
    const sentinel = h(container.tagName === "TBODY" ? "tr" : "div", { class: "more" });
    const grow = (count) => {
      const fragment = document.createDocumentFragment();
      const until = Math.min(list.entries.length, list.shown + count);
      while (list.shown < until) fragment.append(render(list.entries[list.shown++]));
      sentinel.remove();
      container.append(fragment);
      if (list.shown < list.entries.length) {
        const words = `${list.entries.length - list.shown} more`;
        sentinel.replaceChildren(container.tagName === "TBODY" ? h("td", { colspan: 20 }, words) : words);
        container.append(sentinel);
      }
    };
    new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && grow(BATCH), { rootMargin: "600px" }).observe(sentinel);
    list.set = (entries) => {
      list.entries = entries;
      list.shown = 0;
      container.replaceChildren();
      if (!entries.length) container.append(container.tagName === "TBODY" ? h("tr", {}, h("td", { colspan: 20, class: "muted" }, empty)) : h("p", { class: "muted" }, empty));
      grow(BATCH);
    };
    list.all = () => grow(list.entries.length);
    // The observer only fires when visibility changes: growing until the sentinel is out of sight keeps it going.
    list.reveal = (entry) => { const index = list.entries.indexOf(entry); if (index >= list.shown) grow(index - list.shown + 1); };
    lists.push(list);
    return list;
  };
  const table = (id, columns, empty) => {
    const element = byId(id);
    const body = h("tbody", {});
    const list = lazy(body, (row) => {
      const line = h("tr", {}, columns.map((column) => h("td", {}, column.cell(row))));
      if (row.status === "blocked") line.className = "blocked";
      return line;
    }, empty);
    let entries = [];
    let sorted = null;
    let descending = false;
    const show = () => {
      const rows = entries.slice();
      if (sorted) {
        rows.sort((a, b) => {
          const [x, y] = [sorted.sort(a), sorted.sort(b)];
          return (x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1);
        });
      }
      list.set(rows);
    };
    const head = h("tr", {}, columns.map((column) => {
      const cell = h("th", { scope: "col" });
      if (!column.sort) { cell.textContent = column.name; return cell; }
      cell.append(h("button", { type: "button", onclick: () => {
        descending = sorted === column ? !descending : false;
        sorted = column;
        head.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
        show();
      } }, column.name));
      return cell;
    }));
    element.replaceChildren(h("thead", {}, head), body);
    return { set: (rows) => { entries = rows; show(); } };
  };
  const item = (className, summary, body) => {
    const details = h("details", { class: `item ${className}` }, h("summary", {}, summary));
    details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(h("div", { class: "body" }, body())); });
    details.fill = () => { if (details.children.length === 1) details.append(h("div", { class: "body" }, body())); details.open = true; };
    return details;
  };
  const edge = (severity) => `edge-${severity}`;

  // ---- threats ---------------------------------------------------------------------------------------------------------------------
  const points = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(Number.isInteger(value) ? 0 : 1);
  const score = (name, value) => h("div", {},
    h("h4", {}, `${name} ${value.value} of 5`, value.residual !== value.value ? `, ${value.residual} after the controls that the plan shows` : ""),
    h("ul", { class: "terms" }, value.terms.map((term) => h("li", {}, h("b", {}, points(term.points)), h("span", {}, html(term.text), " ", place(term.at))))));
  const remedyBox = (mitigation) => h("div", { class: "remedy" },
    h("strong", {}, mitigation.title), " ", h("span", { class: "badge plain" }, mitigation.kind),
    h("dl", {},
      h("dt", {}, "Applied to"), h("dd", {}, component(mitigation.target)),
      h("dt", {}, "Effect"), h("dd", {}, html(mitigation.effect)),
      h("dt", {}, "Cost"), h("dd", {}, html(mitigation.cost)),
      h("dt", {}, "Performance"), h("dd", {}, html(mitigation.performance)),
      h("dt", {}, "Advice"), h("dd", {}, html(mitigation.advice)),
      mitigation.standards.length ? [h("dt", {}, "Standards"), h("dd", {}, mitigation.standards.join(", "))] : null),
    mitigation.fix ? fixBox(mitigation.fix) : null);
  const threatBody = (threat) => [
    threat.decision ? h("p", {}, h("strong", {}, "Decision: "), html(threat.decision)) : null,
    h("div", { html: threat.explanation }),
    h("p", { class: "muted small" }, "Concerns ", some(threat.targets, 8, component)),
    h("h4", {}, "Evidence"),
    threat.evidence.length ? threat.evidence.map(excerpt) : h("p", {}, "The plan holds nothing that would prevent it."),
    threat.more_evidence.length ? h("p", { class: "small" }, "Also in ", some(threat.more_evidence, 8, (at) => place(at))) : null,
    threat.paths.length ? [h("h4", {}, "Attack paths it lies on"), bullets(threat.paths, 4, pathLink)] : null,
    h("div", { class: "columns" }, score("Likelihood", threat.likelihood), score("Impact", threat.impact)),
    h("p", {}, `Risk ${threat.risk} of 25 (${threat.severity})`, threat.risk !== threat.inherent_risk ? `; ${threat.inherent_risk} of 25 (${threat.inherent_severity}) before the controls that the plan shows` : "", "."),
    threat.controls_present.length ? h("p", {}, "The plan shows these controls already: ", some(threat.controls_present, 12, (id) => h("code", {}, id))) : null,
    h("h4", {}, "Remedies"),
    threat.mitigations.length ? threat.mitigations.map((index) => remedyBox(data.mitigations[index])) : h("p", { class: "muted" }, "No control of the catalogue fits."),
    h("div", { class: "chips" }, threat.classes.map((name) => h("span", { class: "badge plain" }, name))),
    threat.references.length ? h("p", { class: "small" }, "Further reading: ", some(threat.references, 6, (url) => h("a", { href: url, rel: "noopener noreferrer" }, url))) : null,
    h("p", { class: "muted small" }, "Id ", h("code", {}, threat.id)),
  ];
  const threatItem = (threat) => {
    const details = item(edge(threat.severity), [
      badge(threat.severity),
      h("span", { class: "what" }, html(threat.message), h("br", {}), h("span", { class: "muted small" }, `${threat.title} · ${categoryName[threat.category]}`)),
      h("span", { class: "meta" }, threat.status === "open" ? `risk ${threat.risk}` : statusName[threat.status]),
    ], () => threatBody(threat));
    details.id = threat.id;
    return details;
  };
  const threatList = lazy(byId("threat-list"), threatItem, "No threat passes the filter.");
  const filter = byId("threat-filter");
  let cell = null;
  const textOf = new Map(data.threats.map((threat) => {
    const message = h("span", { html: threat.message }).textContent;
    return [threat, [message, threat.title, threat.id, threat.rule, ...threat.targets, ...threat.classes].join(" ").toLowerCase()];
  }));
  const applyFilter = () => {
    const form = new FormData(filter);
    const severities = form.getAll("severity");
    const [category, status] = [form.get("category"), form.get("status")];
    const words = form.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = form.get("component").trim().toLowerCase();
    const found = data.threats.filter((threat) =>
      severities.includes(threat.severity) &&
      (!category || threat.category === category) &&
      (!status || threat.status === status) &&
      (!wanted || threat.targets.some((target) => target.toLowerCase().includes(wanted) || (componentOf.get(target)?.name || "").toLowerCase().includes(wanted))) &&
      (!cell || (threat.status === "open" && threat.likelihood.residual === cell.likelihood && threat.impact.residual === cell.impact)) &&
      words.every((word) => textOf.get(threat).includes(word)));
    threatList.set(found);
    byId("threats-count").textContent = found.length === data.threats.length ? `${found.length}` : `${found.length} of ${data.threats.length}`;
    document.querySelectorAll("button.cell").forEach((button) =>
      button.classList.toggle("on", !!cell && Number(button.dataset.likelihood) === cell.likelihood && Number(button.dataset.impact) === cell.impact));
    const note = byId("cell-filter");
    note.hidden = !cell;
    if (cell) note.textContent = `likelihood ${cell.likelihood}, impact ${cell.impact}`;
  };
  const later = (run) => { let timer; return () => { clearTimeout(timer); timer = setTimeout(run, 120); }; };
  filter.addEventListener("input", later(applyFilter));
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("reset", () => { cell = null; setTimeout(applyFilter); });
  const goTo = (id) => byId(id).scrollIntoView({ block: "start" });
  const only = (change) => {
    filter.reset();
    cell = null;
    change(filter.elements);
    setTimeout(() => { applyFilter(); goTo("threats"); }, 10);
  };
  document.querySelectorAll(".tile").forEach((tile) => tile.addEventListener("click", () => only(() => {
    filter.querySelectorAll("[name=severity]").forEach((box) => (box.checked = box.value === tile.dataset.severity));
    filter.elements.status.value = "open";
  })));
  document.querySelectorAll("[data-category]").forEach((button) => button.addEventListener("click", () => only((fields) => {
    fields.category.value = button.dataset.category;
    fields.status.value = "open";
  })));
  document.querySelectorAll("button.cell").forEach((button) => button.addEventListener("click", () => {
    const picked = { likelihood: Number(button.dataset.likelihood), impact: Number(button.dataset.impact) };
    only(() => {});
    setTimeout(() => (cell = picked), 1);
  }));
  byId("addresses").append(...[...threatsAt.keys()].slice(0, 2000).map((address) => h("option", { value: address })));
  const openThreat = (id) => {
    const threat = threatOf.get(id);
    if (!threat) return false;
    if (!threatList.entries.includes(threat)) { filter.reset(); cell = null; applyFilter(); }
    threatList.reveal(threat);
    const details = byId(id);
    details.fill();
    details.scrollIntoView({ block: "start" });
    details.querySelector("summary").focus({ preventScroll: true });
    return true;
  };
  const threatLink = (id) => {
    const threat = threatOf.get(id);
    return threat ? h("span", {}, badge(threat.severity), " ", h("a", { href: `#${id}` }, html(threat.message))) : h("code", {}, id);
  };

  // ---- attack paths ----------------------------------------------------------------------------------------------------------------
  const pathOf = new Map(data.paths.map((path) => [path.id, path]));
  const nameOf = (address) => (address === "admin" ? "administrator rights" : componentOf.get(address)?.name || address);
  // Set by the diagram, which knows how to show a path.
  let drawPath = () => {};
  const threatsOn = new Map();
  for (const threat of data.threats) {
    for (const id of threat.paths) {
      if (!threatsOn.has(id)) threatsOn.set(id, []);
      threatsOn.get(id).push(threat.id);
    }
  }
  const chain = (path) => h("ol", { class: "chain" }, path.chain.map((link, index) => [
    index ? h("li", { class: link.assumed ? "way assumed" : "way" }, h("span", {}, link.by.join("; "), link.assumed ? " (assumed)" : "")) : null,
    h("li", { class: `stop${index ? "" : " entry"}${index === path.chain.length - 1 ? " goal" : ""}` },
      componentOf.has(link.address) ? h("button", { type: "button", class: "link", onclick: () => openPanel(link.address) }, link.name) : h("b", {}, link.name),
      h("span", {}, link.kind)),
  ]));
  const pathLink = (id) => {
    const path = pathOf.get(id);
    return path ? h("span", {}, h("a", { href: `#${id}` }, html(path.gist)), " ", h("span", { class: "muted small" }, `about ${path.likelihood}`)) : h("code", {}, id);
  };
  const stepLine = (step) => h("li", {},
    h("b", {}, step.title), " ", step.assumption ? h("span", { class: "badge assumed" }, "assumed") : null,
    h("div", { class: "small" }, component(step.from), " → ", component(step.to),
      step.actions.length ? [" with ", some(step.actions, 4, (action) => h("code", {}, action))] : null),
    step.assumption ? h("p", { class: "muted small" }, `No plan shows this flaw; it is counted with a chance of ${step.likelihood}.`) : null,
    step.conditions.map((condition) => h("p", { class: "small" }, h("span", { class: "badge plain" }, "only if"), " ", html(condition))),
    step.evidence.map(excerpt));
  const cutLine = (cut) => h("li", {}, h("b", { class: cut.ends ? "good" : "" }, cut.left), " ", place(cut.at), " ", html(cut.text),
    cut.also_ends.length ? [h("br", {}), h("span", { class: "small muted" }, "also cuts: "), some(cut.also_ends, 2, pathLink)] : null);
  const pathBody = (path) => [
    chain(path),
    h("p", {}, h("button", { type: "button", onclick: () => { drawPath(path.id); goTo("diagram"); } }, "Show on the diagram")),
    h("h4", {}, "Steps"),
    h("ol", { class: "steps" }, path.steps.map(stepLine)),
    h("h4", {}, "What would cut it"),
    path.cuts.length ? [
      h("p", { class: "muted small" }, "Take one of these away or narrow it; each was proven by computing all paths again without it."),
      h("ul", { class: "cuts" }, path.cuts.map(cutLine)),
    ] : h("p", { class: "muted" }, "No single change takes away most of its likelihood."),
    threatsOn.has(path.id) ? [h("h4", {}, "Threats on it"), bullets(threatsOn.get(path.id), 8, threatLink)] : null,
    h("p", { class: "muted small" }, "Id ", h("code", {}, path.id)),
  ];
  const FIRST_PATHS = 6;
  const pathItem = (path) => {
    const assumed = path.steps.filter((step) => step.assumption).length;
    const details = item("path", [
      h("span", { class: "what" }, html(path.gist), h("br", {}), h("span", { class: "muted small" }, path.chain.map((link) => (link.kind.startsWith("iam ") ? `${link.kind.slice(4)} ${link.name}` : link.name)).join(" → "))),
      h("span", { class: "meta" }, `about ${path.likelihood} · ${plural(path.steps.length, "step", "steps")}${assumed ? `, ${assumed} assumed` : ""}`),
    ], () => pathBody(path));
    details.id = path.id;
    return details;
  };
  const pathList = byId("path-list");
  const morePaths = () => pathList.querySelector(".rest")?.click();
  if (data.paths.length) {
    byId("paths").hidden = byId("paths-link").hidden = false;
    byId("paths-count").textContent = data.paths.length;
    pathList.append(...data.paths.slice(0, FIRST_PATHS).map(pathItem));
    const rest = data.paths.slice(FIRST_PATHS);
    if (rest.length) {
      const button = h("button", { type: "button", class: "rest" }, `Show ${rest.length} more`);
      button.addEventListener("click", () => button.replaceWith(...rest.map(pathItem)));
      pathList.append(button);
    }
  }
  const openPath = (id) => {
    if (!pathOf.has(id)) return false;
    if (!byId(id)) morePaths();
    const details = byId(id);
    details.fill();
    details.scrollIntoView({ block: "start" });
    details.querySelector("summary").focus({ preventScroll: true });
    return true;
  };

  // ---- tables ----------------------------------------------------------------------------------------------------------------------
  const yesNo = (value) => (value === true ? "yes" : value === false ? h("span", { class: "bad" }, "no") : h("span", { class: "muted" }, "not known"));
  const reasons = (why) => h("span", {}, some(why, 2, (reason) => h("span", {}, html(reason.text), " ", place(reason.at))));
  const flows = table("flow-table", [
    { name: "From", sort: (flow) => flow.from, cell: (flow) => component(flow.from) },
    { name: "To", sort: (flow) => flow.to, cell: (flow) => component(flow.to) },
    { name: "Protocol", sort: (flow) => `${flow.protocol} ${String(flow.port ?? "").padStart(5, "0")}`, cell: (flow) => flow.protocol + (flow.port === null ? "" : ` :${flow.port}`) },
    { name: "Encrypted", sort: (flow) => String(flow.encrypted), cell: (flow) => yesNo(flow.encrypted) },
    { name: "Authentication", sort: (flow) => flow.authentication || "", cell: (flow) => (flow.authentication === "none" ? h("span", { class: "bad" }, "none") : flow.authentication || h("span", { class: "muted" }, "not known")) },
    { name: "Data", sort: (flow) => flow.data.join(), cell: (flow) => flow.data.join(", ") },
    { name: "Status", sort: (flow) => flow.status + flow.confidence, cell: (flow) => h("span", {}, flow.status, h("br", {}), h("span", { class: "muted small" }, flow.confidence)) },
    { name: "Why", cell: (flow) => reasons(flow.status === "blocked" ? flow.why.slice().reverse() : flow.why) },
  ], "No flow passes the filter.");
  const form = (id, run) => {
    const element = byId(id);
    element.addEventListener("input", later(() => run(new FormData(element))));
    element.addEventListener("submit", (event) => event.preventDefault());
    run(new FormData(element));
  };
  const matches = (text, fields) => { const hay = fields.join(" ").toLowerCase(); return text.toLowerCase().split(/\s+/).every((word) => hay.includes(word)); };
  const tell = (id, found, all) => (byId(id).textContent = found === all ? `${all}` : `${found} of ${all}`);
  form("flow-filter", (fields) => {
    const found = data.flows.filter((flow) =>
      (!fields.get("status") || flow.status === fields.get("status")) &&
      (!fields.get("encrypted") || String(flow.encrypted) === fields.get("encrypted")) &&
      matches(fields.get("text"), [flow.from, flow.to, flow.protocol, flow.port ?? "", flow.authentication ?? "", flow.confidence, ...flow.data]));
    flows.set(found);
    tell("flows-count", found.length, data.flows.length);
  });
  const components = table("component-table", [
    { name: "Component", sort: (one) => one.address, cell: (one) => component(one.address) },
    { name: "Name", sort: (one) => one.name, cell: (one) => one.name },
    { name: "Type", sort: (one) => one.component_type, cell: (one) => h("span", {}, one.component_type, h("br", {}), h("span", { class: "muted small" }, one.kind)) },
    { name: "Reachable from", sort: (one) => one.exposure || "", cell: (one) => (one.exposure_id === "internet" ? h("span", { class: "bad" }, one.exposure) : one.exposure || "") },
    { name: "Boundary", sort: (one) => one.boundary.join(), cell: (one) => one.boundary.join(" › ") },
    { name: "Assets", sort: (one) => one.assets.join(), cell: (one) => one.assets.join(", ") },
    { name: "Threats", sort: (one) => (threatsAt.get(one.address) || []).length, cell: (one) => String((threatsAt.get(one.address) || []).length || "") },
    { name: "Declared in", sort: (one) => one.at || "", cell: (one) => place(one.at) },
  ], "No component passes the filter.");
  form("component-filter", (fields) => {
    const all = data.components.filter((one) => fields.get("supporting") || !one.supporting);
    const found = all.filter((one) => matches(fields.get("text"), [one.address, one.name, one.component_type, one.source_type, one.exposure || "", ...one.boundary, ...one.assets]));
    components.set(found);
    tell("components-count", found.length, all.length);
  });
  byId("mitigations-count").textContent = data.mitigations.length;
  lazy(byId("mitigation-list"), (mitigation) => item("", [
    h("span", { class: "what" }, h("b", {}, mitigation.title), " for ", h("code", {}, mitigation.target), h("br", {}), h("span", { class: "muted small" }, html(mitigation.effect))),
    h("span", { class: "meta" }, `−${Math.round(mitigation.reduction)} points, ${plural(mitigation.threats.length, "threat", "threats")}`),
  ], () => [remedyBox(mitigation), h("h4", {}, "Threats it reduces"), bullets(mitigation.threats, 20, threatLink)]), "There is nothing to mitigate.").set(data.mitigations);
  byId("questions-count").textContent = data.questions.length;
  table("question-table", [
    { name: "Question", cell: (one) => html(one.text) },
    { name: "For", sort: (one) => one.to, cell: (one) => one.to },
    { name: "About", sort: (one) => one.about, cell: (one) => component(one.about) },
    { name: "Why it is open", cell: (one) => h("span", {}, html(one.why), " ", place(one.at)) },
    { name: "Decides", sort: (one) => -one.decides.length, cell: (one) => some(one.decides, 2, (id) => (threatOf.has(id) ? h("a", { href: `#${id}` }, id) : h("code", {}, id))) },
    { name: "Id", cell: (one) => h("code", {}, one.id) },
  ], "The plan answers everything that the rules ask.").set(data.questions);
  byId("in-order-count").textContent = data.in_order.length;
  table("in-order-table", [
    { name: "Threat that was looked for", sort: (one) => one.title, cell: (one) => one.title },
    { name: "Not raised because", cell: (one) => h("span", {}, html(one.because), one.at.length ? [" ", some(one.at, 3, (at) => place(at))] : null) },
    { name: "Checked on", sort: (one) => -one.checked.length, cell: (one) => some(one.checked, 3, component) },
  ], "No rule found a component in order.").set(data.in_order);

  // A button whose content opens as a row of its own below the one it stands in.
  const below = (name, content) => {
    const button = h("button", { type: "button", class: "link", "aria-expanded": "false" }, name);
    let opened = null;
    button.addEventListener("click", () => {
      if (opened) { opened.remove(); opened = null; } else { opened = h("tr", {}, h("td", { colspan: 20 }, content())); button.closest("tr").after(opened); }
      button.setAttribute("aria-expanded", String(!!opened));
    });
    return button;
  };

  // ---- response, training, diagnostics ---------------------------------------------------------------------------------------------
  const missing = data.alarms.filter((alarm) => !alarm.covered_by).length;
  byId("alarms-count").textContent = data.alarms.length ? `${missing} of ${data.alarms.length} missing` : "";
  table("alarm-table", [
    { name: "Component", sort: (one) => one.component, cell: (one) => component(one.component) },
    { name: "Signal", sort: (one) => one.signal, cell: (one) => one.signal },
    { name: "When", cell: (one) => html(one.condition) },
    { name: "Why", cell: (one) => html(one.why) },
    { name: "Covered by", sort: (one) => one.covered_by || "", cell: (one) => (one.covered_by ? h("code", {}, one.covered_by) : [h("span", { class: "bad" }, "missing"), one.fix ? [h("br", {}), below("Terraform", () => fixBox(one.fix))] : null]) },
  ], "No component needs an alarm that the catalogue knows.").set(data.alarms.slice().sort((a, b) => !!a.covered_by - !!b.covered_by));
  table("recovery-table", [
    { name: "Data store", sort: (one) => one.component, cell: (one) => component(one.component) },
    { name: "Configured", cell: (one) => (one.configured.length ? reasons(one.configured) : h("span", { class: "bad" }, "nothing")) },
    { name: "Most data lost", cell: (one) => html(one.rpo) },
    { name: "Time to come back", cell: (one) => html(one.rto) },
    { name: "Wanted", cell: (one) => (one.target ? html(one.target) : h("span", { class: "muted" }, "not declared")) },
    { name: "Missing", cell: (one) => h("span", {}, one.gaps.map((gap, index) => [index ? "; " : "", html(gap)])) },
  ], "The plan holds no data store.").set(data.recovery);
  const pages = (id, entries, empty) => lazy(byId(id), (entry) => item("", [
    h("span", { class: "what" }, h("b", {}, entry.title)), h("span", { class: "meta" }, entry.group),
  ], () => [page(entry.body), entry.threats.length ? [h("p", { class: "small" }, "Threats it teaches:"), bullets(entry.threats, 6, threatLink)] : null]), empty).set(entries);
  pages("runbook-list", data.runbooks, "No threat category occurs, so no runbook is needed.");
  pages("training-list", data.training, "There is no topic that this review would teach.");
  byId("diagnostics-count").textContent = data.diagnostics.length || "";
  const rank = { error: 0, warning: 1, note: 2 };
  table("diagnostic-table", [
    { name: "Severity", sort: (one) => rank[one.severity], cell: (one) => one.severity },
    { name: "Where", sort: (one) => one.at || "", cell: (one) => place(one.at) },
    { name: "What", cell: (one) => html(one.message) },
    { name: "What to do", cell: (one) => (one.help ? html(one.help) : "") },
    { name: "Code", sort: (one) => one.code, cell: (one) => h("code", {}, one.code) },
  ], "Everything under review could be read.").set(data.diagnostics.slice().sort((a, b) => rank[a.severity] - rank[b.severity]));

  // ---- the component's panel -------------------------------------------------------------------------------------------------------
  const panel = byId("panel");
  let opener = null;
  const closePanel = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    document.querySelectorAll(".picked").forEach((element) => element.classList.remove("picked"));
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
  };
  const openPanel = (address) => {
    const one = componentOf.get(address);
    if (!one) return;
    if (panel.hidden) opener = document.activeElement;
    const threats = threatsAt.get(address) || [];
    const touching = flowsAt.get(address) || [];
    const row = (name, value) => (value ? h("tr", {}, h("td", {}, name), h("td", {}, value)) : null);
    panel.replaceChildren(...[
      h("button", { type: "button", class: "close", onclick: closePanel, "aria-label": "Close" }, "Close"),
      h("h2", { id: "panel-title", tabindex: -1 }, one.name),
      h("p", {}, h("code", {}, one.address), " ", place(one.at)),
      h("table", {}, h("tbody", {},
        row("Type", `${one.component_type} (${one.kind})`), row("Boundary", one.boundary.join(" › ")),
        row("Reachable from", one.exposure && h("span", {}, one.exposure, one.exposure_why.length ? [": ", reasons(one.exposure_why)] : null)),
        row("Assets", one.assets.join(", ")))),
      h("h3", {}, `Threats (${threats.length})`),
      threats.length ? bullets(threats, 12, (threat) => threatLink(threat.id)) : h("p", { class: "muted" }, "None was found."),
      h("h3", {}, `Flows (${touching.length})`),
      touching.length ? bullets(touching, 20, (flow) => [flow.from === address ? ["to ", component(flow.to)] : ["from ", component(flow.from)],
        ` by ${flow.protocol}${flow.port === null ? "" : ` :${flow.port}`}`, flow.status === "blocked" ? " (blocked)" : ""]) : h("p", { class: "muted" }, "No flow is known."),
      one.settings.length ? h("h3", {}, "Settings") : null,
      one.settings.length ? h("table", {}, h("tbody", {}, one.settings.map(([name, value]) => row(name, value || "\"\"")))) : null,
    ].filter(Boolean));
    panel.hidden = false;
    panel.scrollTop = 0;
    byId("panel-title").focus({ preventScroll: true });
    document.querySelectorAll(".picked").forEach((element) => element.classList.remove("picked"));
    nodesOf(address).forEach((element) => element.classList.add("picked"));
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closePanel(); });

  // ---- the diagram -----------------------------------------------------------------------------------------------------------------
  const canvas = byId("canvas");
  const svg = canvas.querySelector("svg");
  const addressesOf = (element) => (element.dataset.address ? [element.dataset.address] : JSON.parse(element.dataset.addresses || "[]"));
  const nodes = svg ? [...svg.querySelectorAll("[data-address], [data-addresses]")] : [];
  const nodesOf = (address) => nodes.filter((element) => addressesOf(element).includes(address));
  if (svg) {
    const box = svg.viewBox.baseVal;
    const whole = { x: box.x, y: box.y, w: box.width || svg.clientWidth, h: box.height || svg.clientHeight };
    let view = { ...whole };
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.setAttribute("preserveAspectRatio", "xMidYMid meet");
    const show = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    const scale = () => Math.max(view.w / canvas.clientWidth, view.h / canvas.clientHeight);
    const zoom = (factor, at) => {
      const rect = canvas.getBoundingClientRect();
      const centre = at || { x: rect.left + rect.width / 2, y: rect.top + rect.height / 2 };
      const s = scale();
      const middle = { x: view.x + view.w / 2, y: view.y + view.h / 2 };
      const focus = { x: middle.x + (centre.x - rect.left - rect.width / 2) * s, y: middle.y + (centre.y - rect.top - rect.height / 2) * s };
      const width = Math.min(whole.w * 4, Math.max(120, view.w / factor));
      const real = view.w / width;
      view = { x: focus.x - (focus.x - view.x) / real, y: focus.y - (focus.y - view.y) / real, w: width, h: view.h / real };
      show();
    };
    const fit = () => { view = { ...whole }; show(); };
    // A small picture is not blown up and gets no more room than it needs; a large one starts at a size that can be read.
    const start = () => {
      const [smallest, readable] = [0.8, 1.4];
      const shrunk = Math.max(whole.w / canvas.clientWidth, smallest);
      canvas.style.height = `min(78vh, 900px, ${Math.max(220, Math.ceil(whole.h / shrunk) + 24)}px)`;
      fit();
      const s = Math.min(readable, Math.max(smallest, scale()));
      if (s === scale()) return;
      view.w = canvas.clientWidth * s;
      view.h = canvas.clientHeight * s;
      view.x = whole.w < view.w ? whole.x - (view.w - whole.w) / 2 : whole.x;
      view.y = whole.h < view.h ? whole.y - (view.h - whole.h) / 2 : whole.y;
      show();
    };
    start();
    const pointers = new Map();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => { pointers.set(event.pointerId, { x: event.clientX, y: event.clientY }); moved = 0; });
    canvas.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY };
      if (pointers.size === 2) {
        const [a, b] = [...pointers.entries()].map(([id, point]) => ({ old: point, now: id === event.pointerId ? now : point }));
        const far = (p, q) => Math.hypot(p.x - q.x, p.y - q.y) || 1;
        zoom(far(a.now, b.now) / far(a.old, b.old), { x: (a.now.x + b.now.x) / 2, y: (a.now.y + b.now.y) / 2 });
      } else {
        const s = scale();
        view.x -= (now.x - before.x) * s;
        view.y -= (now.y - before.y) * s;
        show();
      }
      moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      if (moved > 4 && !canvas.hasPointerCapture(event.pointerId)) { canvas.setPointerCapture(event.pointerId); canvas.classList.add("dragging"); }
      pointers.set(event.pointerId, now);
    });
    const release = (event) => { pointers.delete(event.pointerId); canvas.classList.remove("dragging"); };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", (event) => { if (!canvas.hasPointerCapture(event.pointerId)) release(event); });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && !document.fullscreenElement) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), { x: event.clientX, y: event.clientY });
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (event.target !== canvas) return;
      const step = view.w / 12;
      const act = { ArrowLeft: () => (view.x -= step), ArrowRight: () => (view.x += step), ArrowUp: () => (view.y -= step), ArrowDown: () => (view.y += step), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
      show();
    });
    document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
      const kind = button.dataset.zoom;
      if (kind === "in") zoom(1.3);
      else if (kind === "out") zoom(1 / 1.3);
      else if (kind === "fit") fit();
      else if (document.fullscreenElement) document.exitFullscreen();
      else document.querySelector(".diagram-frame").requestFullscreen?.();
    }));
    const pick = (element) => {
      const addresses = addressesOf(element);
      if (addresses.length === 1) { openPanel(addresses[0]); return; }
      if (panel.hidden) opener = document.activeElement;
      panel.replaceChildren(
        h("button", { type: "button", class: "close", onclick: closePanel }, "Close"),
        h("h2", { id: "panel-title", tabindex: -1 }, `${addresses.length} components`),
        bullets(addresses, 60, (address) => [component(address), " ", h("span", { class: "muted small" }, plural((threatsAt.get(address) || []).length, "threat", "threats"))]));
      panel.hidden = false;
      byId("panel-title").focus({ preventScroll: true });
    };
    for (const element of nodes) {
      element.setAttribute("tabindex", 0);
      element.setAttribute("role", "button");
      const addresses = addressesOf(element);
      element.setAttribute("aria-label", addresses.length === 1 ? componentOf.get(addresses[0])?.name || addresses[0] : plural(addresses.length, "component", "components"));
      element.addEventListener("click", () => moved <= 4 && pick(element));
      element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(element); } });
    }
    const search = byId("diagram-search");
    const picker = byId("diagram-path");
    if (data.paths.length) {
      byId("path-switch").hidden = false;
      picker.append(...data.paths.map((path) => h("option", { value: path.id }, `${path.likelihood}: ${nameOf(path.from)} → ${nameOf(path.to)}`)));
    }
    const SVG = "http://www.w3.org/2000/svg";
    const draw = (tag, attributes, text) => {
      const element = document.createElementNS(SVG, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      if (text) element.textContent = text;
      return element;
    };
    const flowLines = [...svg.querySelectorAll("[data-flow], [data-label-of]")].filter((element) => !element.dataset.address && !element.dataset.addresses);
    const flowsOf = (element) => (element.dataset.flow || element.dataset.labelOf).split(" ");
    // The box of an element in the diagram's own units, wherever the view is.
    const boxOf = (element) => {
      const rect = element.getBoundingClientRect();
      const back = svg.getScreenCTM().inverse();
      const corner = new DOMPoint(rect.left, rect.top).matrixTransform(back);
      const far = new DOMPoint(rect.right, rect.bottom).matrixTransform(back);
      return { x: corner.x, y: corner.y, w: far.x - corner.x, h: far.y - corner.y };
    };
    // Where the line from the middle of a box towards a point leaves the box.
    const leave = (box, towards) => {
      const middle = { x: box.x + box.w / 2, y: box.y + box.h / 2 };
      const [dx, dy] = [towards.x - middle.x, towards.y - middle.y];
      const part = Math.min(box.w / 2 / (Math.abs(dx) || 1e-9), box.h / 2 / (Math.abs(dy) || 1e-9), 1);
      return { x: middle.x + dx * part, y: middle.y + dy * part };
    };
    // Shows a path: its components stay, flows between neighbours are marked, and a step that is no flow gets a line of its own.
    const overlay = (path) => {
      const stops = [];
      for (const link of path.chain) {
        const [element] = nodesOf(link.address);
        if (element && stops.at(-1)?.element !== element) stops.push({ element, address: link.address, box: boxOf(element) });
      }
      const marked = new Set();
      const layer = draw("g", { class: "attack-path", "aria-hidden": "true" });
      stops.forEach((stop, index) => {
        const { x, y } = stop.box;
        layer.append(draw("circle", { cx: x, cy: y, r: 9 }), draw("text", { x, y: y + 3.6 }, String(index + 1)));
        const next = stops[index + 1];
        if (!next) return;
        const [here, there] = [addressesOf(stop.element), addressesOf(next.element)];
        const between = data.flows.filter((flow) =>
          (here.includes(flow.from) && there.includes(flow.to)) || (here.includes(flow.to) && there.includes(flow.from))).map((flow) => flow.id);
        const lines = flowLines.filter((element) => flowsOf(element).some((id) => between.includes(id)));
        lines.forEach((element) => marked.add(element));
        if (lines.length) return;
        const middle = (box) => ({ x: box.x + box.w / 2, y: box.y + box.h / 2 });
        const [from, to] = [leave(stop.box, middle(next.box)), leave(next.box, middle(stop.box))];
        const bend = { x: (from.x + to.x) / 2 + (to.y - from.y) * 0.12, y: (from.y + to.y) / 2 - (to.x - from.x) * 0.12 };
        const angle = Math.atan2(to.y - bend.y, to.x - bend.x);
        const wing = (turn) => `${to.x - 11 * Math.cos(angle + turn)} ${to.y - 11 * Math.sin(angle + turn)}`;
        layer.prepend(draw("path", { d: `M ${from.x} ${from.y} Q ${bend.x} ${bend.y} ${to.x} ${to.y} M ${wing(0.4)} L ${to.x} ${to.y} L ${wing(-0.4)}` }));
      });
      svg.append(layer);
      return { marked, stops };
    };
    const bounds = (stops) => {
      const margin = 60;
      const left = Math.min(...stops.map(({ box }) => box.x)) - margin;
      const top = Math.min(...stops.map(({ box }) => box.y)) - margin;
      const right = Math.max(...stops.map(({ box }) => box.x + box.w)) + margin;
      const bottom = Math.max(...stops.map(({ box }) => box.y + box.h)) + margin;
      return { x: left, y: top, w: right - left, h: bottom - top };
    };
    const highlight = () => {
      svg.querySelectorAll(".attack-path").forEach((layer) => layer.remove());
      svg.querySelectorAll(".on-path").forEach((element) => element.classList.remove("on-path"));
      const path = pathOf.get(picker.value);
      if (path) {
        const { marked, stops } = overlay(path);
        const kept = new Set(stops.map((stop) => stop.element));
        nodes.forEach((element) => element.classList.toggle("faded", !kept.has(element)));
        flowLines.forEach((element) => { element.classList.toggle("faded", !marked.has(element)); element.classList.toggle("on-path", marked.has(element)); });
        if (stops.length) { view = bounds(stops); show(); }
        return;
      }
      const text = search.value.trim().toLowerCase();
      const threatened = byId("only-threats").checked;
      const shown = new Set();
      for (const element of nodes) {
        const addresses = addressesOf(element);
        const hit = addresses.some((address) =>
          (!text || `${address} ${componentOf.get(address)?.name || ""} ${componentOf.get(address)?.service || ""}`.toLowerCase().includes(text)) &&
          (!threatened || (threatsAt.get(address) || []).some((threat) => threat.status === "open")));
        element.classList.toggle("faded", !hit);
        if (hit) addresses.forEach((address) => shown.add(address));
      }
      const active = text || threatened;
      const flowShown = new Map(data.flows.map((flow) => [flow.id, shown.has(flow.from) && shown.has(flow.to)]));
      for (const element of flowLines) {
        element.classList.toggle("faded", !!active && !flowsOf(element).some((id) => flowShown.get(id)));
      }
    };
    drawPath = (id) => { picker.value = id; highlight(); };
    picker.addEventListener("change", highlight);
    const unpick = () => { picker.value = ""; };
    search.addEventListener("input", unpick);
    byId("only-threats").addEventListener("change", unpick);
    search.addEventListener("input", later(highlight));
    byId("only-threats").addEventListener("change", highlight);
    addEventListener("beforeprint", fit);
  }

  // ---- the page --------------------------------------------------------------------------------------------------------------------
  document.querySelectorAll(".hero .fix").forEach(copyable);
  const theme = byId("theme");
  try { const kept = localStorage.getItem("bartizan-theme"); if (kept) document.documentElement.dataset.theme = kept; } catch { /* not kept for files everywhere */ }
  theme.addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("bartizan-theme", document.documentElement.dataset.theme); } catch { /* as above */ }
  });
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id.startsWith("component=")) openPanel(id.slice("component=".length));
    else if (id && (openThreat(id) || openPath(id))) closePanel();
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.hash === location.hash) follow();
  });
  addEventListener("beforeprint", () => {
    lists.forEach((list) => list.all());
    morePaths();
    document.querySelectorAll("#threat-list details, #runbook-list details, #path-list details").forEach((details) => details.fill?.());
  });
  applyFilter();
  follow();
  const links = new Map([...document.querySelectorAll(".top nav a")].map((link) => [link.hash.slice(1), link]));
  const inSight = new IntersectionObserver((seen) => seen.forEach((entry) => {
    if (!entry.isIntersecting) return;
    links.forEach((link) => link.classList.remove("here"));
    links.get(entry.target.id)?.classList.add("here");
  }), { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main > section").forEach((section) => inSight.observe(section));
})();
