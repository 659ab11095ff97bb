// The page's own words in English and Russian. What the bot says is never touched.

const RUSSIAN = (navigator.language || "en").toLowerCase().startsWith("ru");
const LOCALE = RUSSIAN ? "ru-RU" : navigator.language || "en";

const RU = {
  "Message": "Сообщение",
  "Comment": "Подпись",
  "Add a caption…": "Добавьте подпись…",
  "Broadcast…": "Публикация…",
  "Reply…": "Ответ…",
  "Chats": "Чаты",
  "Search": "Поиск",
  "Nothing found": "Ничего не найдено",
  "Messages": "Сообщения",
  "Back": "Назад",
  "Send": "Отправить",
  "Attach": "Прикрепить",
  "Photo": "Фото",
  "File": "Файл",
  "Album": "Альбом",
  "Video": "Видео",
  "Voice message": "Голосовое сообщение",
  "Sticker": "Стикер",
  "Location": "Геопозиция",
  "Contact": "Контакт",
  "Menu": "Меню",
  "Commands": "Команды",
  "Bot keyboard": "Клавиатура бота",
  "Hide keyboard": "Скрыть клавиатуру",
  "Choose a chat to start messaging": "Выберите чат, чтобы начать",
  "Waiting for a bot to connect…": "Ждём, пока подключится бот…",
  "Connecting…": "Соединение…",
  "bot": "бот",
  "channel": "канал",
  "private chat": "личный чат",
  "you are {name}": "вы — {name}",
  "Speaking as {name}": "От имени: {name}",
  "Speak as": "От чьего имени писать",
  "What can this bot do?": "Что умеет этот бот?",
  "No messages here yet": "Здесь пока нет сообщений",
  "Say hello, or press Start.": "Напишите что-нибудь или нажмите «Старт».",
  "Start": "Старт",
  "Today": "Сегодня",
  "Yesterday": "Вчера",
  "edited": "изменено",
  "Sending": "Отправляется",
  "Sent": "Отправлено",
  "Forwarded from {name}": "Переслано от {name}",
  "Only you see this": "Видите только вы",
  "via @{name}": "через @{name}",
  "Deleted message": "Удалённое сообщение",
  "Scroll to bottom": "Прокрутить вниз",
  "{n} unread": "непрочитанных: {n}",
  "typing…": "печатает…",
  "sending a photo…": "отправляет фото…",
  "sending a file…": "отправляет файл…",
  "Message actions": "Действия с сообщением",
  "Reply": "Ответить",
  "Copy text": "Копировать текст",
  "Copy": "Копировать",
  "Copied": "Скопировано",
  "Edit": "Изменить",
  "Delete": "Удалить",
  "Editing": "Редактирование",
  "Cancel": "Отмена",
  "Close": "Закрыть",
  "React with {emoji}": "Реакция {emoji}",
  "Download": "Скачать",
  "Download {name}": "Скачать {name}",
  "Open photo": "Открыть фото",
  "Open photo {n} of {total}": "Открыть фото {n} из {total}",
  "Photo {n} of {total}": "Фото {n} из {total}",
  "Previous": "Назад",
  "Next": "Далее",
  "Reveal spoiler": "Показать скрытое",
  "Show more": "Развернуть",
  "Show less": "Свернуть",
  "Album of {n}": "Альбом из {n}",
  "Pay {price}": "Заплатить {price}",
  "Checkout": "Оплата",
  "Receipt": "Квитанция",
  "Paid": "Оплачено",
  "Email for the receipt": "Почта для чека",
  "Total": "Итого",
  "Invoice": "Счёт",
  "This is a playground: no money moves.": "Это песочница: деньги не списываются.",
  "Payment refused": "Платёж отклонён",
  "You paid {price}": "Вы заплатили {price}",
  "{price} refunded": "Возврат {price}",
  "{name} joined the group": "{name} теперь в группе",
  "{actor} added {name}": "{actor} добавляет {name}",
  "{name} left the group": "{name} больше не в группе",
  "{actor} removed {name}": "{actor} исключает {name}",
  "{name} pinned «{text}»": "{name} закрепляет «{text}»",
  "{name} renamed the group to «{title}»": "{name} называет группу «{title}»",
  "Group created": "Группа создана",
  "Channel created": "Канал создан",
  "The group became a supergroup": "Группа стала супергруппой",
  "{name} created the topic «{title}»": "{name} создаёт тему «{title}»",
  "Topic renamed to «{title}»": "Тема теперь называется «{title}»",
  "Topic closed": "Тема закрыта",
  "Topic reopened": "Тема снова открыта",
  "Shared with the bot": "Отправлено боту",
  "Service message": "Служебное сообщение",
  "This kind of message is not shown here": "Такие сообщения здесь не показываются",
  "Topics": "Темы",
  "All": "Все",
  "General": "Общая",
  "New topic": "Новая тема",
  "New chat": "Новый чат",
  "Person": "Человек",
  "Group": "Группа",
  "Channel": "Канал",
  "Name": "Имя",
  "Title": "Название",
  "Language": "Язык",
  "Create": "Создать",
  "Chat info": "О чате",
  "Members": "Участники",
  "Block the bot": "Заблокировать бота",
  "Unblock the bot": "Разблокировать бота",
  "Add the bot": "Добавить бота",
  "Remove the bot": "Убрать бота",
  "Make admin": "Сделать админом",
  "Take admin rights": "Снять права админа",
  "Choose what to share": "Чем поделиться с ботом",
  "You have none that fits": "Ничего подходящего у вас нет",
  "Share": "Отправить",
  "Send as a photo": "Как фото",
  "Send as a file": "Как файл",
  "Send {n} photos": "Отправить фото: {n}",
  "Send {n} files": "Отправить файлы: {n}",
  "Send photo": "Отправить фото",
  "Send file": "Отправить файл",
  "Drop files here": "Перетащите файлы сюда",
  "Not sent": "Не отправлено",
  "Bot": "Бот",
  "OK": "OK",
  "Telegram only: nothing happens here": "Работает только в Telegram",
  "Only the channel writes here": "Здесь пишет только канал",
  "creator": "владелец",
  "administrator": "админ",
  "member": "участник",
  "left": "вышел",
  "kicked": "исключён",
  "restricted": "ограничен",
};

/** The words for `text` in the reader's language, with {name} places filled in. */
export function t(text, values = {}) {
  const words = RUSSIAN ? (RU[text] ?? text) : text;
  return words.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
}

/** "3 members" / "3 участника". */
export function members(n) {
  if (!RUSSIAN) return n === 1 ? "1 member" : `${n} members`;
  const form = new Intl.PluralRules("ru").select(n);
  return `${n} ${{ one: "участник", few: "участника" }[form] ?? "участников"}`;
}

const clockFormat = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "long", year: "numeric" });
const weekdayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "short" });
const shortFormat = new Intl.DateTimeFormat(LOCALE, { day: "2-digit", month: "2-digit", year: "2-digit" });

/** Hours and minutes of a Unix time in seconds. */
export const clock = (seconds) => clockFormat.format(seconds * 1000);

/** Whole local days between a Unix time in seconds and now. */
function daysAgo(seconds) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(new Date()) - midnight(new Date(seconds * 1000))) / 86_400_000);
}

/** The words on a date separator. */
export function day(seconds) {
  const ago = daysAgo(seconds);
  if (ago === 0) return t("Today");
  if (ago === 1) return t("Yesterday");
  const sameYear = new Date(seconds * 1000).getFullYear() === new Date().getFullYear();
  return (sameYear ? dayFormat : yearFormat).format(seconds * 1000);
}

/** The time in the chat list: hours today, a weekday this week, else a date. */
export function when(seconds) {
  const ago = daysAgo(seconds);
  if (ago <= 0) return clock(seconds);
  return (ago < 7 ? weekdayFormat : shortFormat).format(seconds * 1000);
}

/** A price as Telegram carries it (in the currency's smallest unit) in words. */
export function price(amount, currency) {
  if (currency === "XTR") return `⭐ ${amount.toLocaleString(LOCALE)}`;
  try {
    const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency });
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch {
    return `${amount} ${currency}`;
  }
}

/** A file's size in bytes in words. */
export function size(bytes) {
  const units = RUSSIAN ? ["Б", "КБ", "МБ", "ГБ"] : ["B", "KB", "MB", "GB"];
  let step = 0;
  while (bytes >= 1024 && step < 3) {
    bytes /= 1024;
    step += 1;
  }
  return `${bytes.toLocaleString(LOCALE, { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
}

document.documentElement.lang = RUSSIAN ? "ru" : "en";
