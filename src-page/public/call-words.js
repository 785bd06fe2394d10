// The words of the call itself, as in words.js: [English, Urdu].

export const CALL_WORDS = {
  mute: ["Mute", "آواز بند"],
  unmute: ["Unmute", "آواز کھولیں"],
  camera_off: ["Camera off", "کیمرا بند"],
  camera_on: ["Camera on", "کیمرا کھولیں"],
  hang_up: ["End", "ختم کریں"],
  hear: ["Press to hear the doctor", "ڈاکٹر کو سننے کے لیے دبائیں"],
  searching: ["Searching for the doctor: {time}", "ڈاکٹر سے رابطہ ڈھونڈ رہے ہیں: {time}"],
  searching_text: ["Stay here. The call comes back by itself.", "یہیں رہیں۔ کال خود واپس آ جائے گی۔"],
  muted: ["The doctor does not hear you now", "ڈاکٹر ابھی آپ کو نہیں سن رہے"],
  end_title: ["End the call?", "کال ختم کریں؟"],
  end_yes: ["Yes, end", "ہاں، ختم کریں"],
  end_no: ["No, go on", "نہیں، جاری رکھیں"],
  leave_title: ["Leave the waiting room?", "انتظار گاہ چھوڑ دیں؟"],
  leave_yes: ["Yes, leave", "ہاں، چھوڑ دیں"],
  leave_no: ["No, wait", "نہیں، انتظار کریں"],
};
