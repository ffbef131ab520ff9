"""The words of the world: for every attribute value its clauses (inside a sentence), tags and whole sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """Ways to say one value. Clauses follow a subject; tags stand between commas; sentences stand alone."""

    clauses: tuple[str, ...]
    tags: tuple[str, ...]
    sentences: tuple[str, ...]


TIME: Final = {
    "day": Words(
        (
            "by day",
            "in daylight",
            "at noon",
            "on a bright day",
            "in the daytime",
            "on a sunny day",
            "in the afternoon",
            "during the day",
        ),
        ("day", "daytime", "daylight", "noon", "bright day", "blue sky", "sunny day"),
        ("It is day", "It is a bright day", "It is noon", "The sky is blue"),
    ),
    "sunset": Words(
        ("at sunset", "at dusk", "in the evening", "at sunrise", "at dawn", "in the evening light", "at golden hour"),
        ("sunset", "dusk", "evening", "sunrise", "dawn", "golden hour", "orange sky"),
        ("It is sunset", "It is evening", "The sun is setting", "The sky is orange"),
    ),
    "night": Words(
        (
            "at night",
            "by night",
            "at midnight",
            "in the dark",
            "under the night sky",
            "during the night",
            "under the stars",
        ),
        ("night", "nighttime", "midnight", "night sky", "dark", "dark sky", "starry night", "starry sky"),
        ("It is night", "It is dark", "It is midnight", "The sky is dark"),
    ),
}

WEATHER: Final = {
    "clear": Words(
        ("under a clear sky", "in fine weather", "under a cloudless sky", "with a clear sky"),
        ("clear sky", "cloudless sky", "fine weather", "no clouds", "clear weather", "sunny", "sunny weather"),
        ("The sky is clear", "There are no clouds", "The weather is fine"),
    ),
    "cloudy": Words(
        ("under a cloudy sky", "with clouds in the sky", "with white clouds", "under the clouds", "in cloudy weather"),
        ("cloudy", "clouds", "cloudy sky", "white clouds", "fluffy clouds"),
        ("It is cloudy", "There are clouds in the sky", "Clouds drift by"),
    ),
    "rain": Words(
        ("in the rain", "in rainy weather", "with rain falling", "on a rainy day", "in a storm", "in pouring rain"),
        ("rain", "rainy", "raining", "heavy rain", "storm", "rain drops", "thunderstorm", "drizzle"),
        ("It is raining", "Rain is falling", "It rains heavily"),
    ),
    "snow": Words(
        ("in falling snow", "while it is snowing", "with snow falling", "in a snowfall", "with snowflakes in the air"),
        ("snowing", "snowfall", "snowflakes", "falling snow"),
        ("It is snowing", "Snow is falling", "Snowflakes fill the air"),
    ),
    "rainbow": Words(
        ("under a rainbow", "with a rainbow", "with a rainbow in the sky", "below a colourful rainbow"),
        ("rainbow", "a rainbow", "rainbow in the sky", "colorful rainbow"),
        ("There is a rainbow", "A rainbow spans the sky", "A rainbow is in the sky"),
    ),
}

GROUND: Final = {
    "meadow": Words(
        (
            "in a meadow",
            "on green hills",
            "on a grassy field",
            "in the green countryside",
            "on the grass",
            "in a field",
        ),
        ("meadow", "green hills", "grass", "green meadow", "grassy field", "countryside", "valley", "prairie"),
        ("The hills are green", "There is grass everywhere", "The ground is a green meadow"),
    ),
    "desert": Words(
        ("in the desert", "among sand dunes", "on the sand dunes", "in a sandy desert", "in a dry desert"),
        ("desert", "sand dunes", "dunes", "sandy desert", "dry desert"),
        ("The ground is a desert", "There are sand dunes", "It stands in the desert"),
    ),
    "snowfield": Words(
        ("in a snowy landscape", "on snow-covered ground", "on a snow field", "in winter", "on white snowy hills"),
        ("snowy landscape", "snow field", "winter", "snow on the ground", "snowy hills", "winter landscape"),
        ("The ground is covered with snow", "It is winter", "The hills are white with snow"),
    ),
    "sea": Words(
        (
            "by the sea",
            "at the seaside",
            "at the ocean",
            "on the coast",
            "near the water",
            "on the shore",
            "at the beach",
            "by a lake",
            "on a river",
            "at the harbour",
        ),
        ("sea", "ocean", "seaside", "beach", "coast", "water", "waves", "lake", "river", "harbor"),
        ("The sea is near", "There is the ocean", "Waves roll on the sea"),
    ),
    "lavender": Words(
        ("in a lavender field", "among lavender", "in a field of lavender", "in rows of lavender", "in purple flowers"),
        ("lavender", "lavender field", "field of lavender", "purple flowers", "flower field"),
        ("Lavender grows all around", "The field is full of lavender", "The ground is purple with lavender"),
    ),
}

BACKDROP: Final = {
    "open": Words(
        ("with an open horizon", "with nothing behind", "on an open plain"),
        ("open horizon", "flat horizon", "wide horizon"),
        ("The horizon is open", "Nothing is behind it"),
    ),
    "mountains": Words(
        (
            "with mountains in the background",
            "before snowy mountains",
            "with mountains behind",
            "in front of mountains",
        ),
        ("mountains", "mountains in the background", "snowy mountains", "alps", "mountain range"),
        ("There are mountains in the background", "Mountains rise behind", "Behind it are mountains"),
    ),
    "pines": Words(
        (
            "with a pine forest in the background",
            "before a forest",
            "with pines behind",
            "by the woods",
            "in the forest",
            "in front of fir trees",
        ),
        ("pine forest", "forest in the background", "pines", "fir trees", "pine trees in the background", "woods"),
        ("There is a forest in the background", "Pines stand behind", "Behind it is a pine forest"),
    ),
}

STYLE: Final = {
    "illustration": Words(
        ("as an illustration", "in picture-book style", "as a flat illustration"),
        ("illustration", "flat illustration", "picture-book style", "storybook illustration"),
        ("It is an illustration", "Drawn as an illustration"),
    ),
    "pastel": Words(
        ("in soft pastel colours", "as a pastel drawing", "in pastel style", "in pale pastel"),
        ("pastel", "pastel colors", "soft pastel drawing", "pastel style", "soft colours"),
        ("It is a pastel drawing", "The colours are soft pastels"),
    ),
    "pixel": Words(
        ("as pixel art", "in pixel art style", "as 8-bit pixel art", "as a pixel picture"),
        ("pixel art", "pixel art style", "8-bit", "pixelated", "retro game pixel art"),
        ("It is pixel art", "Drawn in pixels"),
    ),
    "poster": Words(
        ("as a retro poster", "in the style of a travel poster", "as a vintage poster", "in poster style"),
        ("retro poster", "travel poster", "vintage poster", "poster style", "poster"),
        ("It is a retro poster", "Drawn as a travel poster"),
    ),
}

SCENE_WORDS: Final[dict[str, dict[str, Words]]] = {
    "time": TIME,
    "weather": WEATHER,
    "ground": GROUND,
    "backdrop": BACKDROP,
    "style": STYLE,
}

SUN: Final = ("the sun", "the sun", "a bright sun", "sunshine")
MOON: Final = ("the moon", "a full moon", "moonlight", "the moon")

COLOURS: Final[dict[str, tuple[str, ...]]] = {
    "red": ("red", "red", "red", "crimson", "scarlet", "bright red"),
    "yellow": ("yellow", "yellow", "yellow", "golden", "lemon yellow", "bright yellow"),
    "green": ("green", "green", "green", "emerald", "dark green"),
    "blue": ("blue", "blue", "blue", "azure", "navy blue", "bright blue"),
    "purple": ("purple", "purple", "purple", "violet", "lilac"),
    "white": ("white", "white", "white", "ivory", "pure white"),
}

KINDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "house": (
        ("house", "houses"),
        ("house", "houses"),
        ("cottage", "cottages"),
        ("cabin", "cabins"),
        ("home", "homes"),
        ("hut", "huts"),
        ("barn", "barns"),
        ("farmhouse", "farmhouses"),
    ),
    "tree": (
        ("tree", "trees"),
        ("tree", "trees"),
        ("round tree", "round trees"),
        ("oak tree", "oak trees"),
        ("apple tree", "apple trees"),
    ),
    "boat": (
        ("boat", "boats"),
        ("sailboat", "sailboats"),
        ("sailing boat", "sailing boats"),
        ("ship", "ships"),
        ("yacht", "yachts"),
        ("fishing boat", "fishing boats"),
    ),
    "car": (("car", "cars"), ("car", "cars"), ("automobile", "automobiles"), ("vehicle", "vehicles")),
    "balloon": (
        ("balloon", "balloons"),
        ("hot air balloon", "hot air balloons"),
        ("hot-air balloon", "hot-air balloons"),
    ),
}

SIZES: Final[dict[str, tuple[str, ...]]] = {
    "small": ("small", "little", "tiny", "small"),
    "large": ("large", "big", "huge", "giant", "large"),
}

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "left": ("on the left", "on the left side", "to the left", "at the left", "left"),
    "centre": ("in the middle", "in the centre", "in the center", "at the center", "centered"),
    "right": ("on the right", "on the right side", "to the right", "at the right", "right"),
}

VERBS: Final[dict[str, tuple[str, ...]]] = {
    "house": ("stands", "is", "sits"),
    "tree": ("stands", "grows", "is"),
    "boat": ("sails", "floats", "is"),
    "car": ("is parked", "drives", "stands", "is"),
    "balloon": ("floats", "flies", "hangs", "is"),
}

NUMBERS: Final[dict[int, tuple[str, ...]]] = {2: ("two", "2", "a pair of"), 3: ("three", "3")}

EMPTY_SUBJECTS: Final = ("a landscape", "an empty landscape", "a view", "scenery", "a quiet landscape", "nature")

JOINTS: Final = ("and", "with", "of", "in", "on", "near", "behind", "for", "from", "over", "without", "like")
"""What stands between two phrases that the world does not know."""

OPENERS: Final = (
    "a picture of ", "a painting of ", "an image of ", "a drawing of ", "a view of ", "a scene with ", "draw ",
    "show me ", "i want to see ", "there is ", "please paint ", "imagine ",
)  # fmt: skip

FILLERS: Final = (
    "beautiful", "masterpiece", "best quality", "highly detailed", "4k", "lovely", "peaceful", "calm", "cozy",
    "colourful", "artstation", "scenic", "wonderful", "dreamy", "high resolution", "cute", "vivid", "summer mood",
    "quiet", "wallpaper", "trending", "detailed background", "sharp focus", "nobody around", "very pretty",
    "soft natural light", "rich colours", "calm atmosphere", "no people", "8k", "ultra detailed", "professional",
)  # fmt: skip

#: Plain English that the world cannot show. Captions are sprinkled with it, so that a prompt from outside the grammar
#: does not throw the model off the words that it does share.
STRANGERS: Final = (
    "dog", "cat", "horse", "bird", "man", "woman", "girl", "boy", "people", "king", "queen", "knight", "robot",
    "city", "street", "road", "bridge", "tower", "castle", "church", "garden", "island", "window", "door", "roof",
    "wooden", "stone", "glass", "metal", "old", "new", "young", "ancient", "modern", "happy", "sad", "tired",
    "lonely", "magic", "running", "sleeping", "walking", "dancing", "waiting", "reading", "eating", "looking",
    "holding", "wearing", "hat", "coat", "dress", "lamp", "table", "chair", "bottle", "cup", "bread", "music",
    "dream", "story", "life", "love", "war", "fire", "ice", "wind", "smoke", "gold", "silver", "warm", "cold", "hard",
    "fast", "slow", "quietly", "softly", "slowly", "where", "when", "because", "very", "really", "somewhere",
    "through", "some", "many", "another", "his", "her", "their", "my", "your", "our", "photo", "photograph", "render",
    "realistic", "cinematic", "lens", "camera", "portrait", "anime", "watercolor", "sketch", "fantasy", "lighthouse",
    "windmill", "village", "market", "kitchen", "bedroom", "office", "school", "hospital", "station", "airport",
    "train", "plane", "rocket", "bicycle", "motorcycle", "bus", "truck", "tractor", "ladder", "fence", "gate", "wall",
    "bench", "statue", "fountain", "stairs", "corridor", "cave", "volcano", "canyon", "waterfall", "glacier",
    "jungle", "swamp", "reef", "planet", "galaxy", "space", "astronaut", "alien", "dragon", "unicorn", "wizard",
    "witch", "princess", "warrior", "samurai", "ninja", "pirate", "soldier", "doctor", "teacher", "farmer", "painter",
    "baby", "child", "grandmother", "grandfather", "mother", "father", "friend", "crowd", "couple", "wedding",
    "party", "concert", "dance", "guitar", "piano", "violin", "drum", "trumpet", "radio", "television", "computer",
    "phone", "keyboard", "screen", "clock", "watch", "mirror", "candle", "lantern", "umbrella", "basket", "bucket",
    "box", "bag", "suitcase", "pillow", "blanket", "carpet", "curtain", "sofa", "shelf", "vase", "plate", "fork",
    "knife", "spoon", "kettle", "pan", "soup", "pizza", "burger", "noodles", "rice", "cheese", "cake", "cookie",
    "chocolate", "coffee", "tea", "milk", "juice", "wine", "beer", "banana", "strawberry", "cherry", "grape",
    "tomato", "carrot", "potato", "pumpkin", "mushroom", "leaf", "branch", "root", "seed", "rose", "tulip",
    "sunflower", "orchid", "cactus", "bamboo", "fox", "wolf", "bear", "lion", "tiger", "elephant", "giraffe", "zebra",
    "monkey", "rabbit", "mouse", "squirrel", "deer", "cow", "sheep", "goat", "pig", "duck", "goose", "chicken",
    "eagle", "owl", "parrot", "penguin", "swan", "frog", "turtle", "snake", "lizard", "fish", "shark", "whale",
    "dolphin", "octopus", "crab", "butterfly", "bee", "spider", "ant", "dinosaur", "skeleton", "ghost", "monster",
    "angel", "demon", "shadow", "reflection", "texture", "pattern", "geometry", "abstract", "surreal", "futuristic",
    "cyberpunk", "steampunk", "gothic", "baroque", "minimal", "elegant", "rusty", "broken", "dirty", "clean", "shiny",
    "empty", "crowded", "tall", "short", "square", "thin", "thick", "wet", "sharp", "blurry", "transparent",
    "floating", "glowing", "burning", "melting", "hidden", "lost", "famous", "strange", "funny", "scary", "serious",
    "gentle", "brave", "proud", "angry", "calmly", "loudly", "carefully", "suddenly", "always", "never", "sometimes",
    "maybe", "almost", "together", "outside", "above", "under", "behind", "before", "after", "during", "without",
    "within", "against", "towards", "across", "along", "beyond", "morning", "breakfast", "dinner", "monday",
    "january", "birthday", "holiday", "journey", "adventure", "history", "science", "religion", "politics", "money",
    "business", "number", "letter", "word", "question", "answer", "idea", "thought", "memory", "secret", "promise",
    "peace", "freedom", "justice", "power", "energy", "motion", "speed", "detail", "foreground", "perspective",
    "macro", "close-up", "bokeh", "exposure", "contrast", "saturation", "lighting", "studio", "volumetric", "octane",
    "unreal", "engine", "hdr", "polaroid", "film", "grain", "black", "brown", "pink", "grey", "beige", "turquoise",
    "marble", "velvet", "leather", "paper", "cotton", "wool", "plastic", "copper", "bronze", "diamond", "crystal",
    "pearl", "jade", "denim", "striped", "dotted", "knitted", "carved", "woven", "painted", "printed", "folded",
    "jump", "run", "walk", "swim", "fly", "fall", "climb", "read", "write", "sing", "play", "cook", "sleep", "smile",
    "laugh", "cry", "shout", "whisper", "listen", "build", "break", "close", "give", "take", "hold", "carry", "push",
    "pull", "throw", "catch", "kick", "hit", "cut", "draw", "wear", "lift", "grow", "shrink", "turn", "bend",
    "stretch", "rest", "wait", "search", "find", "lose", "win", "fight", "hide", "seek", "lead", "meet", "leave",
    "arrive", "return", "begin", "end", "could", "would", "should", "might", "must", "can", "will", "shall", "been",
    "being", "has", "had", "does", "did", "not", "only", "also", "even", "still", "just", "more", "less", "most",
    "least", "few", "several", "both", "either", "neither", "each", "whose", "which", "what", "who",
)  # fmt: skip
