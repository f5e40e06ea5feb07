"""The sum behind a figure, in Khmer: the numbers stay, the words between them change (`10.5 h x 1.0096 USD`)."""

from __future__ import annotations

import re
from functools import lru_cache

# The longer phrase stands before the shorter that it holds.
_PHRASES = {
    "completed years of service": "ឆ្នាំនៃអតីតភាពការងារពេញ",
    "for every working day of the month": "សម្រាប់ការមកធ្វើការគ្រប់ថ្ងៃក្នុងខែ",
    "for the month": "សម្រាប់មួយខែ",
    "days with overtime": "ថ្ងៃដែលថែមម៉ោង",
    "days at least, at": "ថ្ងៃយ៉ាងតិច បើថែម",
    "h a day": "ម៉ោងក្នុងមួយថ្ងៃ",
    "days absent without pay": "ថ្ងៃអវត្តមានគ្មានប្រាក់ឈ្នួល",
    "days sick": "ថ្ងៃឈឺ",
    "days on maternity leave": "ថ្ងៃលំហែមាតុភាព",
    "public holidays not worked": "ថ្ងៃបុណ្យដែលមិនបានធ្វើការ",
    "average of twelve months": "មធ្យមភាគដប់ពីរខែ",
    "days on leave": "ថ្ងៃឈប់សម្រាក",
    "unused days of leave": "ថ្ងៃឈប់សម្រាកដែលមិនទាន់ប្រើ",
    "days of leave": "ថ្ងៃឈប់សម្រាកប្រចាំឆ្នាំ",
    "in the basic pay": "ក្នុងប្រាក់ខែគោល",
    "no day worked": "មិនបានធ្វើការមួយថ្ងៃណាទេ",
    "lost:": "បាត់បង់៖",
    "working days": "ថ្ងៃធ្វើការ",
    "employed": "បម្រើការ",
    "minimum wage": "ប្រាក់ឈ្នួលអប្បបរមា",
    "agreed:": "ព្រមព្រៀង៖",
    "piece work": "តម្លៃផលិតផលតាមដុំ",
    "wage and fixed benefits": "ប្រាក់ឈ្នួល និងអត្ថប្រយោជន៍ថេរ",
    "of the whole contract": "នៃកិច្ចសន្យាទាំងមូល",
    "as the factory states": "តាមការបញ្ជាក់របស់រោងចក្រ",
    "KHR per USD": "រៀលក្នុងមួយដុល្លារ",
    "less the tax on the wage of the month:": "ដកពន្ធលើប្រាក់ឈ្នួលប្រចាំខែ៖",
    "less than a year of service": "មិនទាន់គ្រប់មួយឆ្នាំនៃអតីតភាពការងារ",
    "less": "ដក",
    "at": "អត្រា",
    "of": "ក្នុងចំណោម",
    "wage": "ប្រាក់ឈ្នួល",
    "days": "ថ្ងៃ",
    "h": "ម៉ោង",
    "USD": "ដុល្លារ",
    "KHR": "រៀល",
}
_WORDS = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(phrase)}(?![A-Za-z])" for phrase in _PHRASES))


@lru_cache(maxsize=4096)
def in_khmer(formula: str) -> str:
    """A formula of the rules with its words in Khmer; what is no word of theirs stays as it is."""
    return _WORDS.sub(lambda found: _PHRASES[found[0]], formula)
