// The person's side of the playground, as the page calls it.

export class ApiError extends Error {}

let botId = null;

/** Every later call speaks about this bot. */
export function useBot(id) {
  botId = id;
}

function address(path, params = {}) {
  const query = new URLSearchParams(params);
  if (botId !== null) query.set("bot", botId);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function understand(status, text) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(text.slice(0, 200) || `HTTP ${status}`);
  }
  if (status >= 400 || body?.ok === false) throw new ApiError(body?.description ?? `HTTP ${status}`);
  return body;
}

async function call(path, { params, body } = {}) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(address(path, params), options);
  return understand(response.status, await response.text());
}

const inChat = (chat, what) => `/sim/chats/${chat}/${what}`;

export const bots = () => call("/sim/bots").then((body) => body.bots);
export const chats = () => call("/sim/chats").then((body) => body.chats);
export const createChat = (body) => call("/sim/chats", { body });
export const messages = (chat, since) => call(inChat(chat, "messages"), { params: since ? { since } : {} });
/** What the bot offers a person in a chat: {commands, description}. */
export const offer = (chat, user) => call("/sim/commands", { params: { chat, user } });
export const send = (chat, body) => call(inChat(chat, "send"), { body });
export const edit = (chat, body) => call(inChat(chat, "edit"), { body });
export const remove = (chat, body) => call(inChat(chat, "delete"), { body });
export const react = (chat, body) => call(inChat(chat, "react"), { body });
export const press = (chat, body) => call(inChat(chat, "press"), { body }).then((r) => r.answer);
export const share = (chat, body) => call(inChat(chat, "share"), { body });
export const changeMembers = (chat, body) => call(inChat(chat, "members"), { body });
export const pay = (body) => call("/sim/pay", { body });

/** Where a stored file's bytes are. */
export const fileUrl = (fileId) => address(`/sim/file/${encodeURIComponent(fileId)}`);

/** Sends one file; `progress` hears the share sent so far, 0..1. fetch() cannot tell it, XHR can. */
export function upload(chat, fields, kind, file, progress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== "") form.append(name, value);
  }
  form.append(kind, file, file.name || "file");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address(inChat(chat, "send")));
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onload = () => {
      try {
        resolve(understand(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.onerror = () => reject(new ApiError("network"));
    request.send(form);
  });
}

/**
 * Listens to the server for good. `handlers` maps event names to functions of the parsed data;
 * `online(true|false)` hears every change of the connection.
 */
export function listen(handlers, online) {
  let source = null;
  let wait_ms = 500;
  let timer = null;
  const open = () => {
    source = new EventSource(address("/sim/events"));
    source.onopen = () => {
      wait_ms = 500;
      online(true);
    };
    source.onerror = () => {
      online(false);
      // A browser retries by itself unless the server answered with an error: then it gives up.
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(open, wait_ms);
        wait_ms = Math.min(wait_ms * 2, 8000);
      }
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
