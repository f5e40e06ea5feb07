"""The names of pay-slip lines and totals, in English and Khmer, as they stand in messages."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.contract import Line

ENGLISH: Mapping[str, str] = {
    **{line.value: line.value.replace("_", " ") for line in Line},
    "rest_day_pay": "work on the day off",
    "holiday_pay": "work on a public holiday",
    "holiday_wage": "public holidays not worked",
    "transport_allowance": "transport or accommodation",
    "piece_top_up": "top-up of piece work",
    "pension": "the NSSF pension",
    "salary_tax": "tax on salary",
    "meal_allowance": "the overtime meal",
    "basic_wage": "basic wage",
    "gross": "gross",
    "net": "net",
    "total_deductions": "total of deductions",
}

KHMER: Mapping[str, str] = {
    "basic_wage": "ប្រាក់ឈ្នួលគោល",
    "basic_pay": "ប្រាក់ខែគោល",
    "piece_top_up": "ប្រាក់បំពេញបន្ថែមតាមបរិមាណផលិតផល",
    "overtime_pay": "ប្រាក់ថែមម៉ោង",
    "night_overtime_pay": "ប្រាក់ថែមម៉ោងយប់",
    "rest_day_pay": "ប្រាក់ធ្វើការថ្ងៃឈប់សម្រាក",
    "holiday_pay": "ប្រាក់ធ្វើការថ្ងៃបុណ្យ",
    "holiday_wage": "ប្រាក់ឈ្នួលថ្ងៃបុណ្យដែលមិនបានធ្វើការ",
    "night_pay": "ប្រាក់ធ្វើការពេលយប់",
    "attendance_bonus": "ប្រាក់រង្វាន់ធ្វើការទៀងទាត់",
    "transport_allowance": "ប្រាក់ធ្វើដំណើរ ឬស្នាក់នៅ",
    "seniority_bonus": "ប្រាក់អតីតភាពប្រចាំខែ",
    "meal_allowance": "ប្រាក់បាយពេលថែមម៉ោង",
    "seniority_indemnity": "ប្រាក់បំណាច់អតីតភាពការងារ",
    "severance": "ប្រាក់បំណាច់បញ្ចប់កិច្ចសន្យា",
    "back_pay": "ប្រាក់រំលឹកអតីតភាពការងារ",
    "leave_pay": "ប្រាក់ឈប់សម្រាកប្រចាំឆ្នាំ",
    "sick_pay": "ប្រាក់ពេលឈឺ",
    "maternity_pay": "ប្រាក់លំហែមាតុភាព",
    "other_allowance": "ប្រាក់ឧបត្ថម្ភផ្សេងទៀត",
    "pension": "ភាគទានសោធន ប.ស.ស.",
    "salary_tax": "ពន្ធលើប្រាក់បៀវត្ស",
    "first_half_paid": "ប្រាក់បើកលើកទីមួយ",
    "advance": "ប្រាក់បុរេប្រទាន",
    "loan": "ប្រាក់កម្ចី",
    "union_dues": "ភាគទានសហជីព",
    "other_deduction": "ប្រាក់កាត់ផ្សេងទៀត",
    "employer_risk": "ហានិភ័យការងារ (និយោជក)",
    "employer_health": "ថែទាំសុខភាព (និយោជក)",
    "employer_pension": "សោធន (និយោជក)",
    "gross": "ប្រាក់សរុប",
    "net": "ប្រាក់ត្រូវបើក",
    "total_deductions": "ប្រាក់កាត់សរុប",
}
