"""Fictitious names, companies and sentences of the demo; all addresses use example.com."""

FIRST_NAMES = (
    "Mara", "Jonas", "Aiko", "Priya", "Luis", "Fatima", "Noah", "Greta", "Tomasz", "Ines", "Kwame",
    "Elif", "Sven", "Chloe", "Marco", "Yuki", "Amara", "Felix", "Nadia", "Oscar", "Leila", "Hugo",
    "Sofia", "Daniel", "Ruth", "Emil", "Zara", "Pavel", "Nina", "Theo",
)  # fmt: skip
LAST_NAMES = (
    "Lindqvist", "Moreau", "Tanaka", "Okafor", "Steiner", "Varga", "Castellan", "Novak",
    "Whitfield", "Demir", "Ashworth", "Pereira", "Kowalski", "Brandt", "Hale", "Nakamura", "Osei",
    "Ferrante", "Lund", "Marchetti", "Quill", "Rahman", "Sorensen", "Tessier", "Underhill", "Voss",
    "Winterbourne", "Yilmaz", "Zeller", "Abbott",
)  # fmt: skip
COMPANIES = (
    "Larkspur Logistics", "Hollow Oak Furniture", "Brightwater Clinics", "Tidepool Robotics",
    "Copper Lantern Hotels", "Northfield Dairy", "Sable & Finch Architects", "Juniper Freight",
    "Meadowlark Schools", "Ironbark Timber", "Paper Kite Studio", "Glasshouse Foods",
    "Rivermouth Energy", "Quarrystone Build", "Silverbirch Insurance", "Windrose Travel",
    "Ember & Ash Ceramics", "Cloudberry Pharmacies", "Granite Peak Outdoor", "Saltmarsh Seafood",
    "Blue Heron Print", "Fernhill Nurseries", "Kestrel Optics", "Old Mill Bakeries",
)  # fmt: skip
JOB_TITLES = (
    "Head of Operations", "Managing Director", "Office Manager", "Marketing Lead", "IT Manager",
    "Purchasing Manager", "Founder", "Sales Director",
)  # fmt: skip
COUNTRIES = ("DE", "GB", "US", "FR", "NL", "SE", "ES", "PL")

QUESTIONS = (
    "We are opening a second location in spring and need something that grows with us. "
    "What would it cost for about 40 people?",
    "Could you tell me whether you work with companies of our size? We are 12 people.",
    "Our contract with the present supplier ends in three months. I would like to compare.",
    "A partner of ours spoke highly of you. Can we set up a call next week?",
    "Do you also deliver outside the EU? We have an office in Norway.",
    "I saw your talk and would like to try it with my team first. Is there a trial?",
    "Please send me your price list and the delivery times.",
    "We need an answer before our board meets at the end of the month.",
    "How long does the introduction usually take, and who does it on your side?",
    "Short question: does it work together with our accounting software?",
)
SECOND_THOUGHTS = (
    "One more thing: could you include training in the offer?",
    "I have not heard back yet. Is my message with you?",
    "We have grown since I wrote: please plan for ten more people.",
    "Could my colleague join the call as well?",
)

CALLED = (
    "Reached {first} by phone. Friendly, has about ten minutes on Thursday for details.",
    "No answer, left a message and sent a short mail.",
    "Spoke with {first}: decision is made together with the finance team.",
    "{first} asked for references from the same trade. Sent two.",
)
QUALIFYING = (
    "Budget is planned for this quarter. About 40 seats, two locations.",
    "Good fit: clear need, {first} decides, wants to start within two months.",
    "Needs it before their busy season. Competitor offer is on the table.",
)
PROPOSING = (
    "Sent the offer, valid for 30 days. {first} will discuss it on Monday.",
    "Walked through the proposal together. Open point: payment terms.",
)
WON = ("Signed! Kick-off is planned for the first week of next month.",)
LOST = (
    "Chose another supplier, mainly for the price. Stay in touch for next year.",
    "Project is postponed without a date.",
    "Too small for us at the moment; pointed {first} to the self-service plan.",
)
TASKS = (
    "Call {first} back",
    "Send {first} the offer",
    "Prepare the demo for {first}",
    "Ask {first} about the decision",
    "Send {first} two references",
)
