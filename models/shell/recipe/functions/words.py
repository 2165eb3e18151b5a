"""Words and characters of a text: changed, compared, measured, joined."""


# checks whether two strings are anagrams | tells if two words have the same letters | determines if one word is an anagram of another | takes two strings and says whether they are anagrams of each other | returns True when the letters of one word can be rearranged into the other | finds out if two texts consist of exactly the same characters in any order | compares the sorted letters of two words
def are_anagrams(first, second):
    return sorted(first.lower()) == sorted(second.lower())


# capitalizes the first letter of every word | turns a sentence into title case | makes the first character of each word a capital | returns a sentence in which every word starts with an upper case letter | takes a text and writes each of its words with a capital initial | uppercases the initial letter of all words in a string | gives back a string in title case
def capitalize_words(text):
    return " ".join(word.capitalize() for word in text.split())


# converts a string to upper case | returns a text in capital letters | makes all letters of a string uppercase | takes a text and gives it back in all caps | changes every lower case letter to a capital | returns the uppercase version of a given string | writes a whole word in big letters
def to_upper(text):
    return text.upper()


# removes spaces from a string | deletes all blanks of a text | returns a string with all its spaces left out | takes a text and drops every blank in it | gives back a sentence without any spaces between the words | strips out each space character, also inside the text | eliminates all the spaces of a given string
def remove_spaces(text):
    return text.replace(" ", "")


# removes punctuation from a string | strips a text of punctuation marks | returns a text without commas, full stops and other punctuation | takes a string and keeps only letters, digits and spaces | drops every punctuation character from a sentence | cleans a text by deleting its punctuation | filters all punctuation symbols out of a given string
def remove_punctuation(text):
    return "".join(character for character in text if character.isalnum() or character == " ")


# reverses the words of a sentence | returns a sentence with its words in reverse order | flips the order of the words in a text | takes a sentence and puts its last word first and its first word last | gives back the words of a string from last to first | turns the word order of a sentence around without changing the words | rearranges a sentence so that its words come backwards
def reverse_words(sentence):
    return " ".join(sentence.split()[::-1])


# finds the longest word in a sentence | returns the longest word of a text | takes a sentence and picks the word with the most letters | splits a text into words and gives back the one with the greatest length | determines which word of a string is the longest | looks for the biggest word in a sentence | gets the word that has the most characters in a text
def longest_word(sentence):
    return max(sentence.split(), key=len)


# finds the longest string in a list | returns the longest string of a list of strings | takes a list of words and picks the one with the most characters | gives back the item of greatest length from an array of strings | determines which string in a list is the longest | looks through a list of texts for the longest one | gets the longest word out of a list of words
def longest_string(strings):
    return max(strings, key=len)


# finds the shortest word in a sentence | returns the shortest word of a text | takes a sentence and picks the word with the fewest letters | splits a text into words and gives back the one with the least length | determines which word of a string is the shortest | looks for the smallest word in a sentence | gets the word that has the fewest characters in a text
def shortest_word(sentence):
    return min(sentence.split(), key=len)


# returns the length of each word in a list | makes a list of word lengths | takes a list of words and gives a list of how long each is | maps every string in an array to its number of characters | tells how many letters each word of a list has | replaces each word of a list with its length | collects the lengths of all the strings in a list
def word_lengths(words):
    return [len(word) for word in words]


# joins a list of strings with commas | makes one comma-separated string of a list | takes a list of strings and puts them together separated by commas | turns a list of words into a single text with commas in between | concatenates the items of an array with a comma and a space between them | gives back one string in which the list elements are divided by commas | builds a comma-delimited text from several strings
def join_with_commas(items):
    return ", ".join(items)


# splits a string into words | returns the words of a sentence as a list | takes a sentence and gives back a list of its words | breaks a text apart at the spaces | turns a string into an array of words | divides a sentence into its separate words | makes a list containing each word of a text
def split_words(text):
    return text.split()


# checks whether a string contains only digits | tells if a text is a number | determines if every character of a text is a digit | returns True when a string is made up of digits alone | takes a string and says whether it is numeric | finds out if a text consists of nothing but the figures 0 to 9 | verifies that there are no characters besides digits in a string
def is_numeric(text):
    return text.isdigit()


# checks whether a string starts with a prefix | tells if a text begins with another | determines if a given prefix stands at the beginning of a string | returns True when the first characters of a text equal the prefix | takes a text and a prefix and says whether it begins that way | finds out if a word starts with certain letters | verifies that a string has a particular beginning
def starts_with(text, prefix):
    return text.startswith(prefix)


# encrypts a text with the Caesar cipher | shifts the letters of a text by a number | moves each letter of a string a number of places along the alphabet | encodes a message with a Caesar shift | takes a text and a shift and returns the Caesar encrypted text | rotates the letters of a message through the alphabet by a given amount | applies a Caesar cipher and leaves characters that are not letters alone
def caesar_cipher(text, shift):
    result = ""
    for character in text:
        if character.isalpha():
            base = ord("A") if character.isupper() else ord("a")
            result += chr((ord(character) - base + shift) % 26 + base)
        else:
            result += character
    return result
