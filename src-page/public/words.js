// Every word of the page, once (those of the call itself come with it, in call-words.js): [English, Urdu]. `{doctor}`, `{n}` and `{time}` are filled in by the screens.
// The keys that end in `_say` are what the loudspeaker says in place of what is written (prompts.js); they name buttons by color and picture, for people who do not read.
// The Urdu is to be checked by native-speaking clinicians.

const WORDS = {
  title: ["Call with the doctor", "ڈاکٹر سے بات"],
  language: ["اردو", "English"],
  speak: ["Listen", "سنیں"],
  speak_stop: ["Stop", "بس"],
  picture: ["The picture of the call", "کال کی تصویر"],
  back: ["Back", "واپس"],
  dial: ["Phone the clinic {n}", "کلینک کو فون کریں {n}"],
  dial_say: ["To phone the clinic, press the button with the telephone.", "کلینک کو فون کرنے کے لیے فون والا بٹن دبائیں۔"],
  retry: ["Try again", "دوبارہ کوشش کریں"],

  opening_title: ["Opening…", "کھل رہا ہے…"],

  word_title: ["Type your word", "اپنا لفظ لکھیں"],
  word_text: ["The word that you chose with the doctor.", "وہی لفظ جو آپ نے ڈاکٹر کے ساتھ چنا تھا۔"],
  word_label: ["Your word", "آپ کا لفظ"],
  word_go: ["Go on", "آگے چلیں"],
  word_empty: ["Type the word first.", "پہلے لفظ لکھیں۔"],
  word_wrong_1: ["That is not the word. You can try one more time.", "یہ وہ لفظ نہیں ہے۔ آپ ایک بار اور کوشش کر سکتے ہیں۔"],
  word_wrong_n: ["That is not the word. You can try {n} more times.", "یہ وہ لفظ نہیں ہے۔ آپ {n} بار اور کوشش کر سکتے ہیں۔"],
  word_say: [
    "Type the word that you chose with the doctor. Then press the big button below it. If you cannot type, ask someone at home whom you trust.",
    "وہ لفظ لکھیں جو آپ نے ڈاکٹر کے ساتھ چنا تھا۔ پھر نیچے بڑا بٹن دبائیں۔ اگر آپ لکھ نہیں سکتے تو گھر میں کسی ایسے شخص سے کہیں جس پر آپ کو بھروسا ہو۔"],

  consent_title: ["{doctor} will see and hear you", "{doctor} آپ کو دیکھیں گے اور سنیں گے"],
  consent_text: ["Nothing is recorded. Is that all right?", "کچھ ریکارڈ نہیں ہوتا۔ کیا آپ راضی ہیں؟"],
  consent_video: ["Yes, with my picture", "جی ہاں، تصویر کے ساتھ"],
  consent_voice: ["Yes, voice only", "جی ہاں، صرف آواز"],
  consent_no: ["No", "نہیں"],
  consent_say: [
    "{doctor} will see and hear you. Nothing is recorded. If the doctor may see you, press the button with the camera. If you want voice only, press the button with the microphone. If you do not want this, press the last button.",
    "{doctor} آپ کو دیکھیں گے اور سنیں گے۔ کچھ ریکارڈ نہیں ہوتا۔ اگر ڈاکٹر آپ کو دیکھ سکتے ہیں تو کیمرے والا بٹن دبائیں۔ اگر صرف آواز چاہتے ہیں تو مائیک والا بٹن دبائیں۔ اگر آپ راضی نہیں تو آخری بٹن دبائیں۔"],

  declined_title: ["You said no", "آپ نے منع کیا"],
  declined_text: ["That is all right. Nobody sees or hears you. You can ask the clinic.",
    "کوئی بات نہیں۔ کوئی آپ کو نہ دیکھ رہا ہے نہ سن رہا ہے۔ آپ کلینک سے پوچھ سکتے ہیں۔"],
  declined_back: ["Ask me again", "مجھ سے دوبارہ پوچھیں"],

  join_title: ["Ready to talk to the doctor?", "ڈاکٹر سے بات کے لیے تیار ہیں؟"],
  join_text: ["Press the green button.", "سبز بٹن دبائیں۔"],
  join: ["Join", "شامل ہوں"],
  join_say: ["To talk to the doctor, press the big green button.", "ڈاکٹر سے بات کرنے کے لیے بڑا سبز بٹن دبائیں۔"],
  rejoin_title: ["Your call is still open", "آپ کی کال ابھی کھلی ہے"],
  rejoin_text: ["Press the green button to go back to it.", "واپس جانے کے لیے سبز بٹن دبائیں۔"],
  rejoin: ["Go back to the call", "کال میں واپس جائیں"],

  allow_title: ["Press “Allow”", "“Allow” یا “اجازت دیں” دبائیں"],
  allow_video: ["Your phone asks if the doctor may see and hear you.", "آپ کا فون پوچھ رہا ہے کہ کیا ڈاکٹر آپ کو دیکھ اور سن سکتے ہیں۔"],
  allow_voice: ["Your phone asks if the doctor may hear you.", "آپ کا فون پوچھ رہا ہے کہ کیا ڈاکٹر آپ کو سن سکتے ہیں۔"],

  allow_say: ["Your phone asks if the doctor may hear you. Press the word that allows it.", "آپ کا فون پوچھ رہا ہے کہ کیا ڈاکٹر آپ کو سن سکتے ہیں۔ اجازت والا لفظ دبائیں۔"],

  microphone_title: ["The doctor cannot hear you yet", "ڈاکٹر ابھی آپ کو سن نہیں سکتے"],
  microphone_text: ["The microphone is closed.", "مائیک بند ہے۔"],
  microphone_step_1: ["Press the small sign beside the address, at the top.", "اوپر پتے کے ساتھ چھوٹا نشان دبائیں۔"],
  microphone_step_2: ["Press “Permissions”.", "“Permissions” دبائیں۔"],
  microphone_step_3: ["Turn on the microphone and come back.", "مائیک کھولیں اور واپس آئیں۔"],
  microphone_app: ["This app does not let the doctor hear you. Open the link in Chrome: press the big button.", "اس ایپ میں ڈاکٹر آپ کو نہیں سن سکتے۔ بڑا بٹن دبا کر لنک Chrome میں کھولیں۔"],
  busy_title: ["Something else uses the microphone", "مائیک کہیں اور استعمال ہو رہا ہے"],
  busy_text: ["End your phone call or close the other app. Then press the button.", "اپنی فون کال ختم کریں یا دوسری ایپ بند کریں۔ پھر بٹن دبائیں۔"],
  listen_only: ["Only listen", "صرف سنیں"],

  joining_title: ["Opening the waiting room…", "انتظار گاہ کھل رہی ہے…"],

  waiting_title: ["Waiting for {doctor}", "{doctor} کا انتظار ہے"],
  waiting_away: ["The doctor has not come yet. Stay on this page: the call opens by itself.", "ڈاکٹر ابھی نہیں آئے۔ اسی صفحے پر رہیں، کال خود کھل جائے گی۔"],
  waiting_here: ["The doctor is here. Stay on this page: the call opens by itself.", "ڈاکٹر آ چکے ہیں۔ اسی صفحے پر رہیں، کال خود کھل جائے گی۔"],
  waiting_late: ["The doctor is late. Keep waiting, or ask the clinic.", "ڈاکٹر کو دیر ہو گئی ہے۔ انتظار کریں یا کلینک سے پوچھیں۔"],
  before_0: ["You are next", "اب آپ کی باری ہے"],
  before_1: ["1 person is before you", "آپ سے پہلے 1 مریض ہے"],
  before_n: ["{n} people are before you", "آپ سے پہلے {n} مریض ہیں"],
  leave: ["Leave", "چھوڑ دیں"],
  connecting_title: ["{doctor} is coming…", "{doctor} آ رہے ہیں…"],
  connecting_text: ["The call opens now.", "کال کھل رہی ہے۔"],

  note_camera: ["The camera is closed. The doctor hears you. That is enough.", "کیمرا بند ہے۔ ڈاکٹر آپ کو سنیں گے۔ یہ کافی ہے۔"],
  note_listen: ["You only listen. The doctor does not hear you.", "آپ صرف سن رہے ہیں۔ ڈاکٹر آپ کو نہیں سن رہے۔"],
  note_battery: ["The battery is low. Voice only lasts longer.", "بیٹری کم ہے۔ صرف آواز سے زیادہ دیر چلے گی۔"],
  note_offline: ["No network. We keep trying.", "نیٹ ورک نہیں ہے۔ ہم کوشش کر رہے ہیں۔"],
  note_phone: ["Waiting until your phone call ends.", "آپ کی فون کال ختم ہونے کا انتظار ہے۔"],
  note_microphone: ["The microphone stopped.", "مائیک رک گیا۔"],
  note_back: ["You are back.", "آپ واپس آ گئے۔"],
  note_again: ["Again", "دوبارہ"],
  voice_only: ["Voice only", "صرف آواز"],

  offline_title: ["No network", "نیٹ ورک نہیں ہے"],
  offline_text: ["We keep trying by ourselves. Check your mobile data and balance.", "ہم خود کوشش کر رہے ہیں۔ موبائل ڈیٹا اور بیلنس دیکھیں۔"],
  offline_now: ["Try now", "ابھی کوشش کریں"],
  slow_title: ["Please wait a little", "تھوڑا انتظار کریں"],
  slow_text: ["Too many tries. The page goes on by itself in a minute.", "بہت زیادہ کوششیں ہوئیں۔ صفحہ ایک منٹ میں خود آگے چلے گا۔"],

  over_title: ["This link is finished", "یہ لنک ختم ہو چکا ہے"],
  over_text: ["Ask the clinic for a new link.", "کلینک سے نیا لنک مانگیں۔"],
  no_link_title: ["This link does not open", "یہ لنک نہیں کھلتا"],
  no_link_text: ["Press the link in the clinic's message again, or ask the clinic for a new one.", "کلینک کے پیغام میں لنک دوبارہ دبائیں، یا کلینک سے نیا لنک مانگیں۔"],

  elsewhere_title: ["The call is open on another phone", "کال کسی اور فون پر کھلی ہے"],
  elsewhere_text: ["If it is you, move the call here. If not, tell the clinic.", "اگر وہ آپ ہیں تو کال یہاں لے آئیں۔ اگر نہیں تو کلینک کو بتائیں۔"],
  move: ["Move the call here", "کال یہاں لائیں"],
  asked_title: ["We asked the doctor", "ہم نے ڈاکٹر سے پوچھا ہے"],
  asked_text: ["When the doctor says yes, the call opens here by itself.", "ڈاکٹر کے ہاں کہتے ہی کال یہاں خود کھل جائے گی۔"],
  not_moved_title: ["The call stays on the other phone", "کال دوسرے فون پر ہی ہے"],
  not_moved_text: ["The doctor did not move it. Use the other phone, or ask the clinic.", "ڈاکٹر نے کال یہاں نہیں بھیجی۔ دوسرا فون استعمال کریں یا کلینک سے پوچھیں۔"],

  ended_title: ["The call is over. Thank you.", "کال ختم ہو گئی۔ شکریہ۔"],
  ended_more: ["Stay here a little: the doctor may send what to do next.", "تھوڑا ٹھہریں، ڈاکٹر بھیج سکتے ہیں کہ اب کیا کرنا ہے۔"],
  left_title: ["You left the waiting room", "آپ نے انتظار گاہ چھوڑ دی"],
  left_text: ["You can come back while the link is open.", "جب تک لنک کھلا ہے آپ واپس آ سکتے ہیں۔"],
  broken_title: ["The call broke off", "کال کٹ گئی"],
  broken_text: ["It is not your fault. Open it again.", "یہ آپ کی غلطی نہیں۔ دوبارہ کھولیں۔"],
  broken_over: ["It is not your fault. The link is finished: ask the clinic for a new one.", "یہ آپ کی غلطی نہیں۔ لنک ختم ہو چکا ہے، کلینک سے نیا لنک مانگیں۔"],
  no_answer_title: ["The doctor did not answer", "ڈاکٹر نے جواب نہیں دیا"],
  no_answer_text: ["Open the waiting room again, or ask the clinic.", "انتظار گاہ دوبارہ کھولیں، یا کلینک سے پوچھیں۔"],
  untrusted_title: ["We closed the call to keep you safe", "آپ کی حفاظت کے لیے کال بند کر دی"],
  untrusted_text: ["We could not be sure that it was your doctor. Tell the clinic.", "ہمیں یقین نہیں تھا کہ یہ آپ ہی کے ڈاکٹر ہیں۔ کلینک کو بتائیں۔"],
  again: ["Open again", "دوبارہ کھولیں"],

  browser_title: ["Open this in Chrome", "اسے Chrome میں کھولیں"],
  browser_text: ["This browser cannot make the call. Open the clinic's link in Chrome.", "اس براؤزر میں کال نہیں ہو سکتی۔ کلینک کا لنک Chrome میں کھولیں۔"],
  copy: ["Copy the link", "لنک کاپی کریں"],
  copied: ["Copied. Open Chrome and paste it at the top.", "کاپی ہو گیا۔ Chrome کھولیں اور اوپر پیسٹ کریں۔"],
  chrome: ["Open in Chrome", "Chrome میں کھولیں"],
};

let column = 0;

export const language = () => (column ? "ur" : "en");

export function speakLanguage(code) {
  column = code === "ur" ? 1 : 0;
  document.documentElement.lang = language();
  document.documentElement.dir = column ? "rtl" : "ltr";
}

/** A later part of the page brings its words with it. */
export const addWords = (more) => Object.assign(WORDS, more);

/** The sentence as it is, with its `{holes}` still in it. */
export const raw = (key) => WORDS[key][column];

/** The sentence with its holes filled, for the loudspeaker and for labels. */
export const plain = (key, values = {}) => raw(key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
