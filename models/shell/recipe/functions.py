"""Small Python functions the pair learns by heart; what each does, in several wordings, stands
above it after `# `, separated by |. Written for this project. corpus.py asks for them."""

# ruff: noqa
import datetime
import json
import math
import os
import random
import re
from collections import Counter


# checks whether a number is prime | tests a number for primality | tells if n is a prime number | returns True if a number is prime
def is_prime(n):
    if n < 2:
        return False
    for i in range(2, int(n**0.5) + 1):
        if n % i == 0:
            return False
    return True


# returns all primes up to n | finds the prime numbers below a limit | lists primes with the sieve of Eratosthenes
def primes_up_to(n):
    sieve = [True] * (n + 1)
    primes = []
    for i in range(2, n + 1):
        if sieve[i]:
            primes.append(i)
            for j in range(i * i, n + 1, i):
                sieve[j] = False
    return primes


# computes the factorial of n | calculates n! | returns the product of the numbers from 1 to n
def factorial(n):
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


# returns the nth Fibonacci number | computes a Fibonacci number | calculates the Fibonacci number at position n
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


# returns the first n Fibonacci numbers | makes a list of Fibonacci numbers | generates the Fibonacci sequence
def fibonacci_list(n):
    numbers = []
    a, b = 0, 1
    for _ in range(n):
        numbers.append(a)
        a, b = b, a + b
    return numbers


# reverses a string | returns a string backwards | turns a text around
def reverse_string(text):
    return text[::-1]


# checks whether a string is a palindrome | tests if a word reads the same backwards | tells if a text is a palindrome
def is_palindrome(text):
    text = text.lower()
    return text == text[::-1]


# adds two numbers | returns the sum of two numbers | computes a plus b
def add(a, b):
    return a + b


# multiplies two numbers | returns the product of a and b
def multiply(a, b):
    return a * b


# adds all numbers of a list | returns the sum of a list | computes the total of a list of numbers | sums the elements of a list
def sum_list(numbers):
    total = 0
    for number in numbers:
        total += number
    return total


# multiplies all numbers of a list | returns the product of a list
def product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


# computes the average of a list of numbers | returns the mean of a list | calculates the arithmetic mean
def average(numbers):
    if not numbers:
        return 0
    return sum(numbers) / len(numbers)


# computes the median of a list of numbers | returns the median | finds the middle value of a list
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


# finds the most common element of a list | returns the mode of a list | tells which element occurs most often
def most_common(items):
    return max(set(items), key=items.count)


# finds the largest number in a list | returns the maximum of a list | gets the greatest element of a list
def find_max(numbers):
    largest = numbers[0]
    for number in numbers:
        if number > largest:
            largest = number
    return largest


# finds the smallest number in a list | returns the minimum of a list | gets the least element of a list
def find_min(numbers):
    smallest = numbers[0]
    for number in numbers:
        if number < smallest:
            smallest = number
    return smallest


# finds the second largest number in a list | returns the second highest value
def second_largest(numbers):
    return sorted(set(numbers))[-2]


# adds the even numbers of a list | sums all even numbers in a list | returns the total of the even numbers
def sum_even(numbers):
    return sum(number for number in numbers if number % 2 == 0)


# returns the even numbers of a list | filters a list for even numbers | keeps only even numbers
def even_numbers(numbers):
    return [number for number in numbers if number % 2 == 0]


# returns the odd numbers of a list | filters a list for odd numbers | keeps only odd numbers
def odd_numbers(numbers):
    return [number for number in numbers if number % 2 == 1]


# checks whether a number is even | tells if n is even | returns True for even numbers
def is_even(n):
    return n % 2 == 0


# checks whether a number is odd | tells if n is odd
def is_odd(n):
    return n % 2 == 1


# checks whether a number is positive | tells if n is greater than zero
def is_positive(n):
    return n > 0


# squares every number of a list | returns the squares of a list of numbers | makes a list of squared numbers
def squares(numbers):
    return [number**2 for number in numbers]


# doubles every number of a list | multiplies each element of a list by two
def double_all(numbers):
    return [number * 2 for number in numbers]


# counts the vowels in a string | returns the number of vowels | tells how many vowels a text has
def count_vowels(text):
    return sum(1 for character in text.lower() if character in "aeiou")


# removes the vowels from a string | deletes all vowels of a text
def remove_vowels(text):
    return "".join(character for character in text if character.lower() not in "aeiou")


# counts the words in a string | returns the number of words in a text | tells how many words a sentence has
def count_words(text):
    return len(text.split())


# counts how often each word occurs in a text | returns a dictionary of word frequencies | makes a word count of a text
def word_counts(text):
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


# counts how often each character occurs in a string | returns the frequency of letters
def character_counts(text):
    counts = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return counts


# counts how often a letter occurs in a string | counts a character in a text
def count_letter(text, letter):
    return text.count(letter)


# removes duplicates from a list | returns the unique elements of a list in order | keeps every element of a list only once
def remove_duplicates(items):
    seen = set()
    result = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


# checks whether a list has duplicates | tells if an element occurs twice in a list
def has_duplicates(items):
    return len(items) != len(set(items))


# reverses a list | returns a list in reverse order | turns a list around
def reverse_list(items):
    return items[::-1]


# sorts a list of numbers with bubble sort | implements bubble sort
def bubble_sort(numbers):
    numbers = list(numbers)
    for i in range(len(numbers)):
        for j in range(len(numbers) - 1 - i):
            if numbers[j] > numbers[j + 1]:
                numbers[j], numbers[j + 1] = numbers[j + 1], numbers[j]
    return numbers


# sorts a list with quicksort | implements quicksort
def quicksort(numbers):
    if len(numbers) <= 1:
        return numbers
    pivot = numbers[0]
    smaller = [n for n in numbers[1:] if n < pivot]
    larger = [n for n in numbers[1:] if n >= pivot]
    return quicksort(smaller) + [pivot] + quicksort(larger)


# sorts a list with merge sort | implements merge sort
def merge_sort(numbers):
    if len(numbers) <= 1:
        return numbers
    middle = len(numbers) // 2
    left = merge_sort(numbers[:middle])
    right = merge_sort(numbers[middle:])
    result = []
    while left and right:
        if left[0] <= right[0]:
            result.append(left.pop(0))
        else:
            result.append(right.pop(0))
    return result + left + right


# sorts a list with insertion sort | implements insertion sort
def insertion_sort(numbers):
    numbers = list(numbers)
    for i in range(1, len(numbers)):
        value = numbers[i]
        j = i - 1
        while j >= 0 and numbers[j] > value:
            numbers[j + 1] = numbers[j]
            j -= 1
        numbers[j + 1] = value
    return numbers


# searches a sorted list with binary search | finds the index of a value in a sorted list | implements binary search
def binary_search(numbers, target):
    low, high = 0, len(numbers) - 1
    while low <= high:
        middle = (low + high) // 2
        if numbers[middle] == target:
            return middle
        if numbers[middle] < target:
            low = middle + 1
        else:
            high = middle - 1
    return -1


# finds the index of an element in a list | searches a list from the beginning | implements linear search
def linear_search(items, target):
    for index, item in enumerate(items):
        if item == target:
            return index
    return -1


# computes the greatest common divisor of two numbers | returns the gcd of a and b | implements Euclid's algorithm
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


# computes the least common multiple of two numbers | returns the lcm of a and b
def lcm(a, b):
    return a * b // math.gcd(a, b)


# raises a number to a power | computes the power of a base and an exponent
def power(base, exponent):
    return base**exponent


# adds the digits of a number | returns the sum of the digits of n | computes the digit sum
def sum_of_digits(n):
    return sum(int(digit) for digit in str(abs(n)))


# counts the digits of a number | tells how many digits a number has
def count_digits(n):
    return len(str(abs(n)))


# reverses the digits of a number | turns a number around
def reverse_number(n):
    return int(str(n)[::-1])


# checks whether a number is an Armstrong number | tells if n equals the sum of its digits raised to their number
def is_armstrong(n):
    digits = str(n)
    return n == sum(int(digit) ** len(digits) for digit in digits)


# checks whether a number is perfect | tells if n equals the sum of its proper divisors
def is_perfect(n):
    return n > 1 and n == sum(i for i in range(1, n) if n % i == 0)


# returns the divisors of a number | lists all factors of n | finds the numbers that divide n
def divisors(n):
    return [i for i in range(1, n + 1) if n % i == 0]


# returns the prime factors of a number | factorizes n into primes
def prime_factors(n):
    factors = []
    divisor = 2
    while n > 1:
        while n % divisor == 0:
            factors.append(divisor)
            n //= divisor
        divisor += 1
    return factors


# checks whether a year is a leap year | tells if a year has 366 days
def is_leap_year(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


# converts Celsius to Fahrenheit | turns a temperature in Celsius into Fahrenheit
def celsius_to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


# converts Fahrenheit to Celsius | turns a temperature in Fahrenheit into Celsius
def fahrenheit_to_celsius(fahrenheit):
    return (fahrenheit - 32) * 5 / 9


# converts kilometres to miles | turns a distance in kilometres into miles
def kilometres_to_miles(kilometres):
    return kilometres * 0.621371


# converts a number to binary | returns the binary representation of n | turns an integer into a binary string
def to_binary(n):
    return bin(n)[2:]


# converts a binary string to a number | turns a binary string into an integer
def from_binary(text):
    return int(text, 2)


# converts a number to hexadecimal | returns the hexadecimal representation of n
def to_hex(n):
    return hex(n)[2:]


# converts a number to a Roman numeral | writes n in Roman numerals
def to_roman(n):
    values = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ]
    result = ""
    for value, numeral in values:
        while n >= value:
            result += numeral
            n -= value
    return result


# checks whether two strings are anagrams | tells if two words have the same letters
def are_anagrams(first, second):
    return sorted(first.lower()) == sorted(second.lower())


# capitalizes the first letter of every word | turns a sentence into title case
def capitalize_words(text):
    return " ".join(word.capitalize() for word in text.split())


# converts a string to upper case | returns a text in capital letters
def to_upper(text):
    return text.upper()


# removes spaces from a string | deletes all blanks of a text
def remove_spaces(text):
    return text.replace(" ", "")


# removes punctuation from a string | strips a text of punctuation marks
def remove_punctuation(text):
    return "".join(character for character in text if character.isalnum() or character == " ")


# reverses the words of a sentence | returns a sentence with its words in reverse order
def reverse_words(sentence):
    return " ".join(sentence.split()[::-1])


# finds the longest word in a sentence | returns the longest word of a text
def longest_word(sentence):
    return max(sentence.split(), key=len)


# finds the longest string in a list | returns the longest string of a list of strings
def longest_string(strings):
    return max(strings, key=len)


# finds the shortest word in a sentence | returns the shortest word of a text
def shortest_word(sentence):
    return min(sentence.split(), key=len)


# returns the length of each word in a list | makes a list of word lengths
def word_lengths(words):
    return [len(word) for word in words]


# joins a list of strings with commas | makes one comma-separated string of a list
def join_with_commas(items):
    return ", ".join(items)


# splits a string into words | returns the words of a sentence as a list
def split_words(text):
    return text.split()


# checks whether a string contains only digits | tells if a text is a number
def is_numeric(text):
    return text.isdigit()


# checks whether a string starts with a prefix | tells if a text begins with another
def starts_with(text, prefix):
    return text.startswith(prefix)


# encrypts a text with the Caesar cipher | shifts the letters of a text by a number
def caesar_cipher(text, shift):
    result = ""
    for character in text:
        if character.isalpha():
            base = ord("A") if character.isupper() else ord("a")
            result += chr((ord(character) - base + shift) % 26 + base)
        else:
            result += character
    return result


# flattens a list of lists | turns a nested list into a flat list | makes one list of several lists
def flatten(lists):
    return [item for inner in lists for item in inner]


# splits a list into chunks of size n | divides a list into parts of equal length
def chunks(items, n):
    return [items[i : i + n] for i in range(0, len(items), n)]


# merges two dictionaries | combines two dictionaries into one
def merge_dicts(first, second):
    return {**first, **second}


# swaps keys and values of a dictionary | inverts a dictionary
def invert_dict(dictionary):
    return {value: key for key, value in dictionary.items()}


# sorts a dictionary by its values | returns the items of a dictionary ordered by value
def sort_by_value(dictionary):
    return dict(sorted(dictionary.items(), key=lambda item: item[1]))


# returns the common elements of two lists | finds the intersection of two lists
def common_elements(first, second):
    return [item for item in first if item in second]


# returns the elements of one list that are not in another | computes the difference of two lists
def difference(first, second):
    return [item for item in first if item not in second]


# merges two sorted lists | combines two sorted lists into one sorted list
def merge_sorted(first, second):
    return sorted(first + second)


# rotates a list by n places | shifts the elements of a list to the left
def rotate(items, n):
    n %= len(items)
    return items[n:] + items[:n]


# returns the first n elements of a list | takes the beginning of a list
def take(items, n):
    return items[:n]


# returns the last element of a list | gets the final item of a list
def last(items):
    return items[-1]


# checks whether a list is sorted | tells if the elements of a list are in ascending order
def is_sorted(items):
    return all(items[i] <= items[i + 1] for i in range(len(items) - 1))


# checks whether a list is empty | tells if a list has no elements
def is_empty(items):
    return len(items) == 0


# returns the running total of a list | computes cumulative sums
def running_total(numbers):
    total = 0
    result = []
    for number in numbers:
        total += number
        result.append(total)
    return result


# finds two numbers in a list that add up to a target | solves two sum
def two_sum(numbers, target):
    seen = {}
    for index, number in enumerate(numbers):
        if target - number in seen:
            return [seen[target - number], index]
        seen[number] = index
    return None


# returns the largest sum of neighbouring elements of a list | finds the maximum subarray sum with Kadane's algorithm
def max_subarray(numbers):
    best = current = numbers[0]
    for number in numbers[1:]:
        current = max(number, current + number)
        best = max(best, current)
    return best


# returns fizz, buzz or fizzbuzz for a number | implements FizzBuzz for one number
def fizzbuzz(n):
    if n % 15 == 0:
        return "FizzBuzz"
    if n % 3 == 0:
        return "Fizz"
    if n % 5 == 0:
        return "Buzz"
    return str(n)


# prints the numbers from 1 to n with fizz and buzz | prints FizzBuzz up to n | plays FizzBuzz
def print_fizzbuzz(n):
    for i in range(1, n + 1):
        if i % 15 == 0:
            print("FizzBuzz")
        elif i % 3 == 0:
            print("Fizz")
        elif i % 5 == 0:
            print("Buzz")
        else:
            print(i)


# computes the area of a circle | returns the area of a circle with a given radius
def circle_area(radius):
    return math.pi * radius**2


# computes the circumference of a circle | returns the perimeter of a circle
def circumference(radius):
    return 2 * math.pi * radius


# computes the area of a rectangle | returns width times height
def rectangle_area(width, height):
    return width * height


# computes the area of a triangle | returns the area of a triangle from its base and height
def triangle_area(base, height):
    return base * height / 2


# computes the distance between two points | returns the Euclidean distance of two points
def distance(x1, y1, x2, y2):
    return math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)


# computes the length of the hypotenuse | applies the Pythagorean theorem
def hypotenuse(a, b):
    return math.sqrt(a**2 + b**2)


# computes compound interest | returns an amount with interest after some years
def compound_interest(amount, rate, years):
    return amount * (1 + rate) ** years


# computes a percentage | returns how many percent a part is of a whole
def percentage(part, whole):
    return part / whole * 100


# adds the numbers from 1 to n | returns the sum of the first n numbers
def sum_to(n):
    return n * (n + 1) // 2


# counts down from n to 1 | returns the numbers from n down to 1
def countdown(n):
    return list(range(n, 0, -1))


# returns the larger of two numbers | finds the maximum of a and b
def larger(a, b):
    return a if a > b else b


# returns the largest of three numbers | finds the maximum of three values
def max_of_three(a, b, c):
    return max(a, b, c)


# returns the absolute value of a number | makes a number positive
def absolute(n):
    return -n if n < 0 else n


# limits a number to a range | clamps a value between a minimum and a maximum
def clamp(value, low, high):
    return max(low, min(value, high))


# swaps two values | returns two values in exchanged order
def swap(a, b):
    return b, a


# divides two numbers safely | returns a divided by b, or None if b is zero
def safe_divide(a, b):
    if b == 0:
        return None
    return a / b


# transposes a matrix | swaps the rows and columns of a matrix
def transpose(matrix):
    return [list(row) for row in zip(*matrix)]


# multiplies two matrices | returns the product of two matrices
def matrix_multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


# makes the multiplication table of a number | returns the first ten multiples of n
def multiplication_table(n):
    return [n * i for i in range(1, 11)]


# returns all permutations of a list | lists every order of the elements of a list
def permutations(items):
    if len(items) <= 1:
        return [items]
    result = []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1 :]):
            result.append([item] + rest)
    return result


# returns all subsets of a list | makes the power set of a list
def subsets(items):
    result = [[]]
    for item in items:
        result += [subset + [item] for subset in result]
    return result


# reads a file and returns its text | opens a text file and reads it
def read_file(path):
    with open(path) as file:
        return file.read()


# returns the lines of a file as a list | reads a file line by line
def read_lines(path):
    with open(path) as file:
        return [line.rstrip("\n") for line in file]


# writes a text to a file | saves a string in a file
def write_file(path, text):
    with open(path, "w") as file:
        file.write(text)


# counts the lines of a file | returns the number of lines in a file
def count_lines(path):
    with open(path) as file:
        return sum(1 for _ in file)


# reads a JSON file | loads data from a JSON file
def read_json(path):
    with open(path) as file:
        return json.load(file)


# lists the files of a folder | returns the names of all files in a directory
def list_files(folder):
    return [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))]


# returns a random number between two numbers | picks a random integer
def random_number(low, high):
    return random.randint(low, high)


# rolls a die | returns a random number from 1 to 6
def roll_die():
    return random.randint(1, 6)


# makes a random password | generates a password of n random characters
def random_password(length):
    characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(random.choice(characters) for _ in range(length))


# returns today's date as a string | gives the current date in ISO format
def today():
    return datetime.date.today().isoformat()


# checks whether an email address looks valid | validates an email address
def is_valid_email(address):
    return re.match(r"[^@\s]+@[^@\s]+\.[^@\s]+$", address) is not None


# finds all numbers in a string | extracts the integers of a text
def find_numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


# says hello to a person | greets someone by name | prints a greeting
def greet(name):
    return f"Hello, {name}!"


# returns the n most frequent words of a text | finds the most common words
def top_words(text, n):
    return [word for word, _ in Counter(text.lower().split()).most_common(n)]


# groups words by their first letter | makes a dictionary from first letters to words
def group_by_first_letter(words):
    groups = {}
    for word in words:
        groups.setdefault(word[0], []).append(word)
    return groups


# removes an element from a list | returns a list without a given value
def remove_value(items, value):
    return [item for item in items if item != value]


# removes all None values from a list | filters None out of a list
def remove_none(items):
    return [item for item in items if item is not None]


# counts how often a value occurs in a list | returns the number of occurrences of an element
def count_value(items, value):
    return items.count(value)


# returns every second element of a list | takes every other item of a list
def every_second(items):
    return items[::2]


# makes a list of numbers from start to end | returns the integers between two numbers
def number_range(start, end):
    return list(range(start, end + 1))


# zips two lists into a dictionary | makes a dictionary of a list of keys and a list of values
def make_dict(keys, values):
    return dict(zip(keys, values))


# finds the missing number in a list from 1 to n | returns the number that is missing
def missing_number(numbers, n):
    return n * (n + 1) // 2 - sum(numbers)


# checks whether brackets are balanced | tells if the parentheses of a text match
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


# replaces a word in a text | returns a text with one word exchanged for another
def replace_word(text, old, new):
    return text.replace(old, new)


# compresses a string by counting repeated characters | does run-length encoding
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


# converts a string to snake case | turns camelCase into snake_case
def to_snake_case(text):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", text).lower()


# returns the grade for a score | turns points into a grade from A to F
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


# returns the number of days between two dates | computes how many days lie between two dates
def days_between(first, second):
    return abs((second - first).days)


# formats seconds as hours, minutes and seconds | turns seconds into a time like 1:02:03
def format_time(seconds):
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
