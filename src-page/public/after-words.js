// The words of what comes after the call, as in words.js: [English, Urdu].

export const AFTER_WORDS = {
  after_title: ["What to do next", "اب کیا کرنا ہے"],
  after_from: ["From {doctor}, {date}", "{doctor} کی طرف سے، {date}"],
  after_medicines: ["Your medicines", "آپ کی دوائیں"],
  after_days_1: ["For 1 day", "1 دن"],
  after_days_n: ["For {n} days", "{n} دن تک"],
  after_morning: ["Morning", "صبح"],
  after_noon: ["Noon", "دوپہر"],
  after_evening: ["Evening", "شام"],
  after_night: ["Night", "رات"],
  after_warning: ["Take care", "خیال رکھیں"],
  after_paper: ["Keep the prescription", "نسخہ محفوظ کریں"],
  after_paper_wait: ["It is coming…", "آ رہا ہے…"],
  after_paper_failed: ["The prescription did not come. Try again.", "نسخہ نہیں آیا۔ دوبارہ کوشش کریں۔"],
  after_talk: ["Talk to the doctor again", "ڈاکٹر سے دوبارہ بات کریں"],
  after_say: [
    "This is what the doctor told you to do next. The pictures of sun and moon show when to take each medicine. If you cannot read it, show it to someone whom you trust.",
    "ڈاکٹر نے بتایا ہے کہ اب کیا کرنا ہے۔ سورج اور چاند کی تصویریں بتاتی ہیں کہ ہر دوا کب لینی ہے۔ اگر آپ پڑھ نہیں سکتے تو کسی ایسے شخص کو دکھائیں جس پر آپ کو بھروسا ہو۔"],
  after_elsewhere_title: ["Open it on the other phone", "اسے دوسرے فون پر کھولیں"],
  after_elsewhere_text: ["Only the phone that had the call shows what to do next. Use that phone, or ask the clinic.", "جس فون پر ڈاکٹر سے بات ہوئی تھی، یہ اسی پر کھلتا ہے۔ وہی فون استعمال کریں یا کلینک سے پوچھیں۔"],
  after_broken_title: ["This cannot be read", "یہ پڑھا نہیں جا سکتا"],
  after_broken_text: ["It was changed on the way. Ask the clinic.", "راستے میں اس میں تبدیلی ہوئی ہے۔ کلینک سے پوچھیں۔"],
};
