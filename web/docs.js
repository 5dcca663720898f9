// The try-it page: reads /openapi.json, lists its operations, and sends calls. Text is only ever set as text.
"use strict";

const $ = (id) => document.getElementById(id);
let api = null;
let token = "";

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function resolve(value) {
  while (value && value.$ref) value = value.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
  return value;
}

// JSON text with line breaks, its numbers exactly as they came: parsing would make floats of them.
function pretty(text) {
  let out = "", depth = 0, quoted = false;
  const line = () => "\n" + "  ".repeat(depth);
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      out += c;
      if (c === "\\") out += text[++i] ?? "";
      else if (c === '"') quoted = false;
    } else if (c === '"') { quoted = true; out += c; }
    else if ("{[".includes(c)) {
      if ("}]".includes(text[i + 1])) out += c + text[++i];
      else { depth++; out += c + line(); }
    } else if ("}]".includes(c)) { depth--; out += line() + c; }
    else if (c === ",") out += c + line();
    else if (c === ":") out += ": ";
    else out += c;
  }
  return out;
}

// -- signing in

async function signIn(email, password) {
  const answer = await fetch("/api/v1/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const body = await answer.json();
  token = body.success ? body.data.access_token : "";
  $("who").textContent = body.success ? `signed in as ${email}` : body.error.message;
}

async function signInToDemo() {
  const demo = await (await fetch("/docs/demo.json")).json();
  if (!demo.demo) return;
  $("email").value = demo.email;
  $("password").value = demo.password;
  await signIn(demo.email, demo.password);
}

// -- the list of operations

function list() {
  for (const tag of api.tags) {
    $("operations").append(make("h2", { textContent: tag.name, title: tag.description }));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags.includes(tag.name)) continue;
        const button = make(
          "button",
          { type: "button", id: `op-${operation.operationId}`, title: operation.summary },
          make("span", { className: "method", textContent: method.toUpperCase() }),
          path.replace("/api/v1", ""),
        );
        button.addEventListener("click", () => show(method, path, operation, button));
        $("operations").append(button);
      }
    }
  }
}

// -- one operation

function example(parameter) {
  const first = Object.values(parameter.examples ?? {})[0];
  return parameter.in === "path" && first ? first.value : "";
}

function field(parameter) {
  const schema = resolve(parameter.schema);
  const options = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  const input = options
    ? make("select", {}, make("option", { value: "", textContent: "" }), ...options.map((o) => make("option", { value: o, textContent: o })))
    : make("input", { value: example(parameter) });
  input.name = parameter.name;
  if (parameter.name === "X-Idempotency-Key") input.value = crypto.randomUUID();
  else if (schema.default !== undefined) input.placeholder = schema.default;
  const about = [parameter.description, parameter.required ? "required" : ""].filter(Boolean).join(" ");
  return { parameter, input, label: make("label", {}, make("code", { textContent: parameter.name }), input, make("small", { textContent: about })) };
}

function bodyEditor(operation) {
  const body = operation.requestBody && operation.requestBody.content["application/json"];
  if (!body) return { nodes: [], text: () => undefined };
  const area = make("textarea", { id: "body", spellcheck: false });
  const choice = make("select", { id: "example" });
  const examples = Object.entries(body.examples ?? {});
  for (const [name, { summary }] of examples) choice.append(make("option", { value: name, textContent: summary }));
  const fill = () => { area.value = JSON.stringify(body.examples[choice.value].value, null, 2); };
  choice.addEventListener("change", fill);
  if (examples.length) fill();
  return { nodes: [make("h3", { textContent: "Body" }), choice, area], text: () => area.value.trim() || undefined };
}

function show(method, path, operation, button) {
  for (const other of $("operations").querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
  button.setAttribute("aria-current", "true");
  const fields = (operation.parameters ?? []).map((parameter) => field(resolve(parameter)));
  const editor = bodyEditor(operation);
  const answer = make("div", { id: "answer" });
  const form = make(
    "form",
    { id: "call" },
    ...fields.map((each) => each.label),
    ...editor.nodes,
    make("p", {}, make("button", { className: "send", id: "send", type: "submit", textContent: "Send" })),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, fields, editor.text(), answer);
  });
  const answers = make("table", {}, make("tr", {}, make("th", { textContent: "Status" }), make("th", { textContent: "Meaning" })));
  for (const [status, response] of Object.entries(operation.responses)) {
    answers.append(make("tr", {}, make("td", { textContent: status }), make("td", { textContent: resolve(response).description })));
  }
  const roles = operation["x-roles"] ? `For signed-in users: ${operation["x-roles"].join(", ")}.` : "For anybody.";
  $("detail").replaceChildren(
    make("h2", { textContent: operation.summary }),
    make("p", {}, make("code", { textContent: `${method.toUpperCase()} ${path}` })),
    make("p", { textContent: operation.description ?? "" }),
    make("p", { textContent: roles }),
    form,
    answer,
    make("h3", { textContent: "Answers" }),
    answers,
  );
}

async function send(method, path, fields, body, answer) {
  const query = new URLSearchParams();
  const headers = {};
  let url = path;
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (parameter.in === "query") query.set(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (query.size) url += `?${query}`;
  const began = performance.now();
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers, body });
    const text = await response.text();
    const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
    answer.replaceChildren(
      make("h3", { textContent: "Answer" }),
      make("p", { className: "status", id: "status", textContent: `${response.status} in ${Math.round(performance.now() - began)} ms` }),
      make("pre", { id: "headers", textContent: [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n") }),
      make("pre", { id: "data", textContent: isJson ? pretty(text) : text }),
    );
  } catch (error) {
    answer.replaceChildren(make("p", { className: "status", id: "status", textContent: `not sent: ${error.message}` }));
  }
}

async function start() {
  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    signIn($("email").value, $("password").value);
  });
  api = await (await fetch("/openapi.json")).json();
  $("about").textContent = `${api.info.title} ${api.info.version}: the contract, to read and to try.`;
  list();
  await signInToDemo();
}

start();
