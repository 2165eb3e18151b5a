"""Dates, addresses, greetings, grades, and more to do with texts and lists."""

import datetime
import re
from collections import Counter


# returns today's date as a string | gives the current date in ISO format | takes no arguments and returns what day it is as YYYY-MM-DD | tells the date of the current day | formats the present date as year, month and day in a string | gets the current date as text | finds out which date it is today
def today():
    return datetime.date.today().isoformat()


# checks whether an email address looks valid | validates an email address | determines if a string has the form of an email address | takes an address and says whether it could be a real email address | returns True when a text is something, an at sign and a domain | verifies the format of an e-mail with a regular expression | finds out if what a user typed is a valid email
def is_valid_email(address):
    return re.match(r"[^@\s]+@[^@\s]+\.[^@\s]+$", address) is not None


# finds all numbers in a string | extracts the integers of a text | takes a text and gives a list of the integers in it | gets every number out of a string as an int | picks the numbers out of a sentence with a regular expression | collects all runs of digits in a text and converts them to integers | returns a list of all whole numbers that appear in a string
def find_numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


# says hello to a person | greets someone by name | prints a greeting | takes a name and returns a hello message | builds the text Hello followed by the name and an exclamation mark | welcomes a person with their name | gives back a friendly greeting for a given name | makes a greeting such as Hello, Anna!
def greet(name):
    return f"Hello, {name}!"


# returns the n most frequent words of a text | finds the most common words | takes a text and n and gives the n words used most often | lists the n most common words of a string | determines which n words appear most frequently in a text | ranks the words of a text by frequency and keeps the top n | picks a given number of the most used words in a text
def top_words(text, n):
    return [word for word, _ in Counter(text.lower().split()).most_common(n)]


# groups words by their first letter | makes a dictionary from first letters to words | sorts words into groups by the letter they begin with | takes a list of words and maps each initial letter to its words | builds a dict where each first letter leads to a list of words | puts strings that start with the same character together in a dictionary | arranges the words of a list under their initial letters
def group_by_first_letter(words):
    groups = {}
    for word in words:
        groups.setdefault(word[0], []).append(word)
    return groups


# removes an element from a list | returns a list without a given value | takes a list and a value and drops every occurrence of the value | deletes all items equal to a given value from an array | gives back the elements of a list that differ from a certain value | filters one particular value out of a list | builds a new list that leaves out a specified element
def remove_value(items, value):
    return [item for item in items if item != value]


# removes all None values from a list | filters None out of a list | takes a list and drops every item that is None | returns only those elements of an array that are not None | cleans a list by deleting its None entries | gives back a list without any None in it | keeps all values of a list except None
def remove_none(items):
    return [item for item in items if item is not None]


# counts how often a value occurs in a list | returns the number of occurrences of an element | takes a list and a value and says how many times the value appears | finds how many elements of an array are equal to a given value | tells how many times a certain item is in a list | determines the number of times something is contained in a list | gives the count of one specified element within a list
def count_value(items, value):
    return items.count(value)


# returns every second element of a list | takes every other item of a list | keeps the first, third, fifth and so on item of an array | skips every other element of a list, starting with the first kept | takes a list and returns the elements at even indices | goes through a list in steps of two | picks alternate items from a sequence
def every_second(items):
    return items[::2]


# makes a list of numbers from start to end | returns the integers between two numbers | takes start and end and lists all integers between them, both included | produces the whole numbers from start up to and including end | builds an inclusive range as a list | counts up from one number to another and returns the list | gives all integers from a first number through a last one
def number_range(start, end):
    return list(range(start, end + 1))


# zips two lists into a dictionary | makes a dictionary of a list of keys and a list of values | takes keys and values as two lists and pairs them in a dict | maps each item of one list to its counterpart in another list | builds a dictionary from two lists of the same length | combines a list of keys with a list of values | uses one list for the keys and another for the values of a dict
def make_dict(keys, values):
    return dict(zip(keys, values))


# finds the missing number in a list from 1 to n | returns the number that is missing | tells which of the numbers 1 to n a list lacks | gets all numbers 1 to n except one and finds the absent one | determines the only integer from 1 through n not contained in a list | finds out which single number is left out of 1 to n | calculates the missing value of an otherwise complete sequence from 1 to n
def missing_number(numbers, n):
    return n * (n + 1) // 2 - sum(numbers)


# checks whether brackets are balanced | tells if the parentheses of a text match | verifies that every opening bracket in a string has its matching closing one | determines if all parentheses, square brackets and braces are closed correctly | takes a string and says whether its brackets match | returns True when the brackets of an expression are properly nested | uses a stack to validate the brackets in a text
def is_balanced(text):
    pairs = {")": "(", "]": "[", "}": "{"}
    stack = []
    for character in text:
        if character in pairs.values():
            stack.append(character)
        elif character in pairs:
            if not stack or stack.pop() != pairs[character]:
                return False
    return not stack


# replaces a word in a text | returns a text with one word exchanged for another | takes a text and puts a new word wherever the old one stands | substitutes one word for another in a string | changes all occurrences of old in a text to new | swaps a given word of a sentence for a different one | finds a word in a text and replaces it everywhere
def replace_word(text, old, new):
    return text.replace(old, new)


# compresses a string by counting repeated characters | does run-length encoding | writes each run of equal characters as the character and its count | turns a string like aaabb into a3b2 | encodes a text with run-length encoding | shortens a string by giving how many times each character repeats in a row | takes a string and returns its run-length encoded form
def run_length_encode(text):
    result = ""
    i = 0
    while i < len(text):
        count = 1
        while i + count < len(text) and text[i + count] == text[i]:
            count += 1
        result += text[i] + str(count)
        i += count
    return result


# converts a string to snake case | turns camelCase into snake_case | changes a camel case name into snake case | puts an underscore before each capital and makes everything lowercase | takes a name like myVariableName and returns my_variable_name | rewrites camelCase identifiers with underscores | gives the snake_case form of a CamelCase word
def to_snake_case(text):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", text).lower()


# returns the grade for a score | turns points into a grade from A to F | takes a score and gives back the letter grade | converts exam points into A, B, C, D or F | determines which letter mark a student gets for a number of points | translates a test result out of 100 into a letter grade | returns A from 90 up, B from 80, and so on down to F
def grade(score):
    if score >= 90:
        return "A"
    if score >= 80:
        return "B"
    if score >= 70:
        return "C"
    if score >= 60:
        return "D"
    return "F"


# returns the number of days between two dates | computes how many days lie between two dates | takes two dates and tells how many days apart they are | calculates the difference between two dates in days | counts the days from one date to another | finds how many days separate two given dates | gives the absolute number of days from the first date to the second
def days_between(first, second):
    return abs((second - first).days)


# formats seconds as hours, minutes and seconds | turns seconds into a time like 1:02:03 | takes a number of seconds and writes it as h:mm:ss | converts a duration in seconds into hours, minutes and seconds as text | represents a count of seconds as a clock-like string | breaks seconds down into a string of hours, minutes and seconds | turns 3661 seconds into the string 1:01:01
def format_time(seconds):
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
