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


# checks whether a number is prime | tests a number for primality | tells if n is a prime number | returns True if a number is prime | decides if an integer has no divisors except 1 and itself | takes n and says whether it is prime or not | determines whether a given integer is a prime | gives True for primes and False for every other number | finds out if a number can be divided only by one and itself
def is_prime(n):
    if n < 2:
        return False
    for i in range(2, int(n**0.5) + 1):
        if n % i == 0:
            return False
    return True


# returns all primes up to n | finds the prime numbers below a limit | lists primes with the sieve of Eratosthenes | collects every prime between 2 and n in a list | generates all the primes not greater than a given limit | gives back a list with each prime number from 2 through n | implements the sieve of Eratosthenes | produces an array of all primes less than or equal to n
def primes_up_to(n):
    sieve = [True] * (n + 1)
    primes = []
    for i in range(2, n + 1):
        if sieve[i]:
            primes.append(i)
            for j in range(i * i, n + 1, i):
                sieve[j] = False
    return primes


# computes the factorial of n | calculates n! | returns the product of the numbers from 1 to n | multiplies all the integers from 1 up to n together | gives the factorial of a given integer | works out 1 times 2 times 3 and so on up to n | takes a non-negative integer and returns its factorial | finds n factorial with a loop
def factorial(n):
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


# returns the nth Fibonacci number | computes a Fibonacci number | calculates the Fibonacci number at position n | gives the Fibonacci number with index n | takes n and returns only the nth term of the Fibonacci sequence | works out the nth Fibonacci number with a loop | finds a single Fibonacci number by its position, starting from 0 and 1 | finds the nth term of the series where each term sums the previous two
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


# returns the first n Fibonacci numbers | makes a list of Fibonacci numbers | generates the Fibonacci sequence | produces a list of the first n terms of the Fibonacci series | builds an array holding n Fibonacci numbers, starting with 0 and 1 | gives back the beginning of the Fibonacci sequence, n numbers long | collects the first n Fibonacci numbers in a list | lists n numbers from 0 and 1 on, each summing the two before it
def fibonacci_list(n):
    numbers = []
    a, b = 0, 1
    for _ in range(n):
        numbers.append(a)
        a, b = b, a + b
    return numbers


# reverses a string | returns a string backwards | turns a text around | flips the order of the characters in a string | takes a word and gives it back spelled backwards | returns the characters of a text from last to first | produces the mirror image of a string | writes a given string from the end to the beginning
def reverse_string(text):
    return text[::-1]


# checks whether a string is a palindrome | tests if a word reads the same backwards | tells if a text is a palindrome | determines if a string is the same forwards and backwards, ignoring case | returns True when a word equals its own reverse | finds out whether a word is a palindrome | verifies that a text is spelled the same from both ends | decides if reversing a string leaves it unchanged apart from upper and lower case
def is_palindrome(text):
    text = text.lower()
    return text == text[::-1]


# adds two numbers | returns the sum of two numbers | computes a plus b | takes two numbers and gives back their sum | sums up a and b | puts two values together with the plus operator | calculates the sum of two given arguments | returns what you get when a is added to b
def add(a, b):
    return a + b


# multiplies two numbers | returns the product of a and b | takes two numbers and gives back their product | calculates a times b | returns one number multiplied by another | works out the product of two arguments | computes what a multiplied by b is
def multiply(a, b):
    return a * b


# adds all numbers of a list | returns the sum of a list | computes the total of a list of numbers | sums the elements of a list | takes a list of numbers and returns their total | adds up every value in an array | gives the sum of all the items in a numeric list | goes through a list with a loop and adds everything up | calculates what all numbers in a sequence come to together
def sum_list(numbers):
    total = 0
    for number in numbers:
        total += number
    return total


# multiplies all numbers of a list | returns the product of a list | multiplies together every element of an array | takes a list of numbers and gives back their product | calculates the product of all the values in a sequence | goes through a list and multiplies everything together | works out the result of multiplying all items of a list with each other
def product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


# computes the average of a list of numbers | returns the mean of a list | calculates the arithmetic mean | takes a list of numbers and gives back their average | divides the sum of a list by the number of its elements | finds the mean value of an array | works out the average of a list, or 0 if it is empty | determines the mean of a sequence of numbers
def average(numbers):
    if not numbers:
        return 0
    return sum(numbers) / len(numbers)


# computes the median of a list of numbers | returns the median | finds the middle value of a list | determines the median of an array of numbers | sorts the values of a list and takes the one in the middle | gives the middle number of a sequence, averaging the two central ones if needed | takes a list of numbers and works out its median | finds the value that splits a list of numbers into two halves
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


# finds the most common element of a list | returns the mode of a list | tells which element occurs most often | returns the item that appears most frequently in an array | picks the element with the highest number of occurrences from a list | determines the mode of a sequence of values | finds which value is repeated the most in a list | gives the most frequent item of a given list
def most_common(items):
    return max(set(items), key=items.count)


# finds the largest number in a list | returns the maximum of a list | gets the greatest element of a list | takes a list of numbers and returns the biggest one | finds the maximum value of an array without using max | looks for the highest value in a list | goes through a sequence and keeps the largest number seen | determines which number in a list is the greatest
def find_max(numbers):
    largest = numbers[0]
    for number in numbers:
        if number > largest:
            largest = number
    return largest


# finds the smallest number in a list | returns the minimum of a list | gets the least element of a list | takes a list of numbers and returns the smallest one | finds the minimum value of an array without using min | looks for the lowest value in a list | goes through a sequence and keeps the smallest number seen | determines which number in a list is the least
def find_min(numbers):
    smallest = numbers[0]
    for number in numbers:
        if number < smallest:
            smallest = number
    return smallest


# finds the second largest number in a list | returns the second highest value | gives the runner-up to the maximum in a list of numbers | finds the second biggest value of an array | takes a list and returns the largest number below its maximum | determines which distinct number in a list comes second in size | picks the second greatest element out of a sequence
def second_largest(numbers):
    return sorted(set(numbers))[-2]


# adds the even numbers of a list | sums all even numbers in a list | returns the total of the even numbers | adds up only those elements of an array that are even | calculates the sum of all values in a list divisible by two | takes a list and totals its even elements, ignoring the odd ones | gives one number, the sum of every even integer in a sequence | skips the odd numbers of a list and sums the rest
def sum_even(numbers):
    return sum(number for number in numbers if number % 2 == 0)


# returns the even numbers of a list | filters a list for even numbers | keeps only even numbers | takes an array and gives back a list of its even elements | picks out all values in a list that are divisible by two | selects the even integers from a sequence | drops every odd number and returns the rest as a list | builds a new list with just the even values of a given list
def even_numbers(numbers):
    return [number for number in numbers if number % 2 == 0]


# returns the odd numbers of a list | filters a list for odd numbers | keeps only odd numbers | takes an array and gives back a list of its odd elements | picks out all values in a list that are not divisible by two | selects the odd integers from a sequence | drops every even number and returns the rest as a list | builds a new list with just the odd values of a given list
def odd_numbers(numbers):
    return [number for number in numbers if number % 2 == 1]


# checks whether a number is even | tells if n is even | returns True for even numbers | determines if an integer is divisible by two | takes a number and returns whether it is even | finds out if n divided by 2 leaves no remainder | gives True if a number is even and False if it is odd | decides whether a given integer is an even number
def is_even(n):
    return n % 2 == 0


# checks whether a number is odd | tells if n is odd | determines if an integer is not divisible by two | takes a number and returns whether it is odd | finds out if n divided by 2 leaves a remainder of one | gives True if a number is odd and False if it is even | decides whether a given integer is an odd number
def is_odd(n):
    return n % 2 == 1


# checks whether a number is positive | tells if n is greater than zero | returns True if a number is above zero | determines if a given value is positive | takes a number and says whether it is more than 0 | finds out if n lies on the positive side of zero | gives False for zero and negative numbers and True otherwise
def is_positive(n):
    return n > 0


# squares every number of a list | returns the squares of a list of numbers | makes a list of squared numbers | returns a new list where each number is multiplied by itself | takes an array of numbers and squares each of them | raises all elements of a list to the second power | maps every value in a sequence to its square | gives back the square of each item in a list
def squares(numbers):
    return [number**2 for number in numbers]


# doubles every number of a list | multiplies each element of a list by two | returns a new list in which each number is twice as big | takes an array and doubles each of its values | maps every number of a sequence to two times itself | gives back a list with all elements doubled | makes each number in a given list twice as large
def double_all(numbers):
    return [number * 2 for number in numbers]


# counts the vowels in a string | returns the number of vowels | tells how many vowels a text has | finds how many of the characters in a string are vowels | takes a word and returns how many vowels it contains | gives the total count of a, e, i, o and u in a text | determines the number of vowels in a given sentence | goes through a string and counts the letters that are vowels
def count_vowels(text):
    return sum(1 for character in text.lower() if character in "aeiou")


# removes the vowels from a string | deletes all vowels of a text | returns a text with all its vowels left out | takes a string and drops each a, e, i, o and u | strips every vowel from a word | gives back only the characters of a string that are not vowels | filters the vowels out of a given text
def remove_vowels(text):
    return "".join(character for character in text if character.lower() not in "aeiou")


# counts the words in a string | returns the number of words in a text | tells how many words a sentence has | finds out how many words are in a given text | takes a sentence and gives back its number of words | determines the total word count of a string | splits a text at whitespace and counts the pieces | gives a single number, how many words a string contains
def count_words(text):
    return len(text.split())


# counts how often each word occurs in a text | returns a dictionary of word frequencies | makes a word count of a text | maps each word of a text to the number of times it appears | builds a dictionary telling how many times every word is used in a string | takes a text and returns the frequency of each word | tallies the occurrences of each separate word in a sentence | gives a dict with words as keys and their counts as values
def word_counts(text):
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


# counts how often each character occurs in a string | returns the frequency of letters | maps each character of a string to the number of times it appears | builds a dictionary with the count of every character in a text | takes a word and tells how many times each of its letters is used | tallies the individual characters of a string | gives a dict with characters as keys and their counts as values
def character_counts(text):
    counts = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return counts


# counts how often a letter occurs in a string | counts a character in a text | takes a text and a letter and returns how many times the letter appears | finds the number of occurrences of one given character in a string | tells how many times a certain letter is in a word | determines how often a particular character shows up in a text | gives the count of a specified letter within a string
def count_letter(text, letter):
    return text.count(letter)


# removes duplicates from a list | returns the unique elements of a list in order | keeps every element of a list only once | drops repeated items from a list and keeps the first of each | takes an array and gives back only its distinct values in their original order | deletes all elements that were already seen earlier in a list | returns a list without any repeated elements | builds a new list where no value appears twice
def remove_duplicates(items):
    seen = set()
    result = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


# checks whether a list has duplicates | tells if an element occurs twice in a list | determines if any value in an array is repeated | returns True when a list contains the same item more than once | finds out whether some elements of a list are equal to each other | takes a list and says if it contains repeated values | gives False only if all elements of a list are different
def has_duplicates(items):
    return len(items) != len(set(items))


# reverses a list | returns a list in reverse order | turns a list around | flips the order of the elements in an array | takes a list and gives it back from last element to first | returns the items of a list backwards | produces a reversed copy of a list | makes a new list running from the last item back to the first
def reverse_list(items):
    return items[::-1]


# sorts a list of numbers with bubble sort | implements bubble sort | sorts an array by repeatedly swapping adjacent elements that are out of order | uses the bubble sort algorithm to order a list | puts numbers in ascending order with bubble sort | applies bubble sort to a given array | returns a sorted copy of a list, made by swapping neighbours in repeated passes
def bubble_sort(numbers):
    numbers = list(numbers)
    for i in range(len(numbers)):
        for j in range(len(numbers) - 1 - i):
            if numbers[j] > numbers[j + 1]:
                numbers[j], numbers[j + 1] = numbers[j + 1], numbers[j]
    return numbers


# sorts a list with quicksort | implements quicksort | sorts an array by choosing a pivot and splitting around it recursively | uses the quick sort algorithm to order numbers | puts a list in ascending order with quicksort | applies quick sort to a given array | partitions a list into smaller and larger values around a pivot to sort it
def quicksort(numbers):
    if len(numbers) <= 1:
        return numbers
    pivot = numbers[0]
    smaller = [n for n in numbers[1:] if n < pivot]
    larger = [n for n in numbers[1:] if n >= pivot]
    return quicksort(smaller) + [pivot] + quicksort(larger)


# sorts a list with merge sort | implements merge sort | sorts an array by halving it and merging the sorted halves | uses the merge sort algorithm to order numbers | puts a list in ascending order with mergesort | applies merge sort to a given array | splits a list in two, sorts both parts recursively and merges them
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


# sorts a list with insertion sort | implements insertion sort | sorts an array by inserting each element into its place among the earlier ones | uses the insertion sort algorithm to order numbers | puts a list in ascending order with insertion sort | applies insertion sort to a given array | shifts larger values to the right and inserts each number to sort a list
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


# searches a sorted list with binary search | finds the index of a value in a sorted list | implements binary search | looks up a target in a sorted array by halving the search range | uses the binary search algorithm to locate a number | returns the position of a target in an ordered list, or -1 if absent | finds a number in a sorted list by repeatedly checking the middle element | performs a binary search for a target value
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


# finds the index of an element in a list | searches a list from the beginning | implements linear search | returns the position of the first matching item in a list, or -1 | checks the items one after another until the target is found | uses the linear search algorithm to locate a value in an array | goes through an unsorted list and tells at which index a value stands | performs a sequential search for a target
def linear_search(items, target):
    for index, item in enumerate(items):
        if item == target:
            return index
    return -1


# computes the greatest common divisor of two numbers | returns the gcd of a and b | implements Euclid's algorithm | finds the greatest common factor of two integers | gives the biggest number that divides both a and b | uses the Euclidean algorithm on two numbers | determines the highest common factor of a and b | takes two integers and returns their largest shared divisor
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


# computes the least common multiple of two numbers | returns the lcm of a and b | finds the smallest number that is a multiple of both a and b | gives the lowest common multiple of two integers | determines the smallest number divisible by both arguments | takes two integers and returns their LCM | works out the least number that two given numbers both divide
def lcm(a, b):
    return a * b // math.gcd(a, b)


# raises a number to a power | computes the power of a base and an exponent | returns the base multiplied by itself exponent times | calculates one number to the power of another | takes a base and an exponent and does the exponentiation | works out x to the y | gives the value of a base raised to an exponent
def power(base, exponent):
    return base**exponent


# adds the digits of a number | returns the sum of the digits of n | computes the digit sum | takes an integer and adds up its individual digits | calculates the total of all the digits in a number | gives the sum of the figures a number is written with | splits a number into digits and sums them | returns what the decimal digits of an integer come to together
def sum_of_digits(n):
    return sum(int(digit) for digit in str(abs(n)))


# counts the digits of a number | tells how many digits a number has | returns the number of digits in an integer | finds how many figures a number is written with | takes an integer and gives back its digit count | determines the length of a number in decimal digits | works out how many digits long an integer is, ignoring its sign
def count_digits(n):
    return len(str(abs(n)))


# reverses the digits of a number | turns a number around | returns an integer with its digits in the opposite order | takes a number like 123 and gives back 321 | flips the figures of an integer from back to front | produces the number you get by reading an integer from right to left | reads the digits of n backwards and returns them as an integer
def reverse_number(n):
    return int(str(n)[::-1])


# checks whether a number is an Armstrong number | tells if n equals the sum of its digits raised to their number | determines if an integer is a narcissistic number | takes n and says whether it is an Armstrong number | returns True for Armstrong numbers such as 153 | verifies that the digits, each raised to the digit count, sum to n | finds out if a given integer is an Armstrong number
def is_armstrong(n):
    digits = str(n)
    return n == sum(int(digit) ** len(digits) for digit in digits)


# checks whether a number is perfect | tells if n equals the sum of its proper divisors | determines if an integer is a perfect number | returns True for perfect numbers such as 6 and 28 | verifies that all the divisors of n smaller than n add up to n | takes n and says whether it is perfect | finds out if a number is the sum of all its smaller divisors
def is_perfect(n):
    return n > 1 and n == sum(i for i in range(1, n) if n % i == 0)


# returns the divisors of a number | lists all factors of n | finds the numbers that divide n | takes an integer and gives a list of all its divisors | collects every number from 1 to n that divides n evenly | finds all the factors of a given integer, including 1 and itself | determines which integers go into n without a remainder | produces a list of each whole number that n can be divided by
def divisors(n):
    return [i for i in range(1, n + 1) if n % i == 0]


# returns the prime factors of a number | factorizes n into primes | breaks an integer down into its prime factors | gives a list of primes whose product is n | performs the prime factorization of a number | finds the primes that multiply together to make a given integer | decomposes n into a list of primes, repeated ones included
def prime_factors(n):
    factors = []
    divisor = 2
    while n > 1:
        while n % divisor == 0:
            factors.append(divisor)
            n //= divisor
        divisor += 1
    return factors


# checks whether a year is a leap year | tells if a year has 366 days | determines if a given year is a leap year | returns True if February has 29 days in that year | takes a year and says whether it is a leap year or not | finds out if a year has an extra day | applies the leap year rules of 4, 100 and 400 to a year
def is_leap_year(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


# converts Celsius to Fahrenheit | turns a temperature in Celsius into Fahrenheit | takes degrees Celsius and gives back degrees Fahrenheit | changes a temperature from Celsius to Fahrenheit | calculates the Fahrenheit value of a given Celsius temperature | returns how many degrees Fahrenheit a Celsius temperature is | multiplies a temperature by 9/5 and adds 32
def celsius_to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


# converts Fahrenheit to Celsius | turns a temperature in Fahrenheit into Celsius | takes degrees Fahrenheit and gives back degrees Celsius | changes a temperature from Fahrenheit to Celsius | calculates the Celsius value of a given Fahrenheit temperature | returns how many degrees Celsius a Fahrenheit temperature is | subtracts 32 from a temperature and multiplies it by 5/9
def fahrenheit_to_celsius(fahrenheit):
    return (fahrenheit - 32) * 5 / 9


# converts kilometres to miles | turns a distance in kilometres into miles | takes a distance in km and returns it in miles | changes kilometers into miles | calculates how many miles a given number of kilometers is | expresses a length in km as miles | translates a distance from the metric kilometre to the mile
def kilometres_to_miles(kilometres):
    return kilometres * 0.621371


# converts a number to binary | returns the binary representation of n | turns an integer into a binary string | takes an integer and gives its binary digits as a string | writes a decimal number in base 2 | changes an integer from decimal to binary | expresses n with zeros and ones only | produces the bits of a whole number as a text
def to_binary(n):
    return bin(n)[2:]


# converts a binary string to a number | turns a binary string into an integer | takes a string of zeros and ones and gives its decimal value | reads a base 2 numeral and returns the integer | changes a binary numeral into a decimal number | parses text such as 1011 as a binary number | calculates the integer that a string of bits stands for
def from_binary(text):
    return int(text, 2)


# converts a number to hexadecimal | returns the hexadecimal representation of n | takes an integer and gives its hex digits as a string | writes a decimal number in base 16 | changes an integer from decimal to hex | expresses n as a hexadecimal string without the 0x prefix | turns a whole number into hexadecimal text
def to_hex(n):
    return hex(n)[2:]


# converts a number to a Roman numeral | writes n in Roman numerals | takes an integer and gives it back as a Roman numeral | translates an Arabic number into Roman numerals | expresses a whole number the way the ancient Romans wrote it | turns a number like 14 into XIV | changes decimal numbers to Roman notation
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


# flattens a list of lists | turns a nested list into a flat list | makes one list of several lists | takes a list of lists and puts all the inner elements in one list | removes one level of nesting from a list | concatenates all sublists into a single list | gives back every item of the inner lists as one array | unpacks the sublists of a list into one
def flatten(lists):
    return [item for inner in lists for item in inner]


# splits a list into chunks of size n | divides a list into parts of equal length | cuts an array into pieces of n elements each | takes a list and a size and returns a list of smaller lists | groups the items of a list n at a time | breaks a list up into consecutive sublists of a given length | makes batches of n items from a sequence
def chunks(items, n):
    return [items[i : i + n] for i in range(0, len(items), n)]


# merges two dictionaries | combines two dictionaries into one | takes two dicts and gives back one with the entries of both | joins two dictionaries, the second overriding the first | returns a new dictionary holding the keys of both given ones | puts the key-value pairs of two dicts together | unites a pair of dictionaries in a single new one
def merge_dicts(first, second):
    return {**first, **second}


# swaps keys and values of a dictionary | inverts a dictionary | returns a dict in which the values have become the keys | exchanges the keys of a dictionary with its values | takes a dictionary and maps each value back to its key | reverses the mapping of a dict | builds a new dictionary with value to key pairs
def invert_dict(dictionary):
    return {value: key for key, value in dictionary.items()}


# sorts a dictionary by its values | returns the items of a dictionary ordered by value | orders the entries of a dict from the smallest value to the largest | takes a dictionary and returns it sorted by value | arranges the key-value pairs of a dictionary by their values, ascending | gives back a dict whose values are in increasing order | puts the items with the lowest values of a dictionary first
def sort_by_value(dictionary):
    return dict(sorted(dictionary.items(), key=lambda item: item[1]))


# returns the common elements of two lists | finds the intersection of two lists | finds which items appear in both of two arrays | takes two lists and returns the values they share | gives every item of the first list that is also in the second | keeps those elements of one list that the other contains too | computes the overlap of two lists
def common_elements(first, second):
    return [item for item in first if item in second]


# returns the elements of one list that are not in another | computes the difference of two lists | takes two lists and returns what is only in the first | removes from the first list everything that the second one contains | finds the items of one array that are missing from the other | subtracts a list from another list | keeps the elements of the first list that do not appear in the second
def difference(first, second):
    return [item for item in first if item not in second]


# merges two sorted lists | combines two sorted lists into one sorted list | takes two ordered arrays and gives back a single ordered one | joins two sorted lists so that the result is sorted too | puts the elements of two lists together in ascending order | makes one sorted sequence out of two sorted sequences | unites two already sorted lists and keeps the order
def merge_sorted(first, second):
    return sorted(first + second)


# rotates a list by n places | shifts the elements of a list to the left | moves the first n elements of a list to its end | takes an array and rotates it left by n positions | shifts the items of a list n steps left, wrapping around | returns a list rotated to the left by a given number of steps | performs a left rotation of a list by n
def rotate(items, n):
    n %= len(items)
    return items[n:] + items[:n]


# returns the first n elements of a list | takes the beginning of a list | gives back just the first n items of an array | cuts a list off after n elements | takes a list and a number n and returns the leading n elements | returns the start of a sequence up to a given count | picks the n items at the front of a list
def take(items, n):
    return items[:n]


# returns the last element of a list | gets the final item of a list | takes an array and gives back the item at its end | returns the element in the last position of a list | fetches the very last value of a sequence | finds out what the item at the end of a list is | picks the element at index -1
def last(items):
    return items[-1]


# checks whether a list is sorted | tells if the elements of a list are in ascending order | determines if an array is in order from smallest to largest | returns True when no element of a list is smaller than the one before | takes a list and says whether it is already sorted | finds out if the values of a sequence never decrease | verifies that a list is ordered ascending, without sorting it
def is_sorted(items):
    return all(items[i] <= items[i + 1] for i in range(len(items) - 1))


# checks whether a list is empty | tells if a list has no elements | returns True when there is nothing in a list | determines if the length of an array is zero | takes a list and says whether it is empty | finds out if a list contains no items at all | verifies that a given sequence has zero elements
def is_empty(items):
    return len(items) == 0


# returns the running total of a list | computes cumulative sums | takes a list of numbers and returns the list of its partial sums | gives for each position of a list the sum of everything so far | calculates the prefix sums of an array | produces the cumulative sum of a sequence of numbers as a list | replaces each number by the total of it and all those before it
def running_total(numbers):
    total = 0
    result = []
    for number in numbers:
        total += number
        result.append(total)
    return result


# finds two numbers in a list that add up to a target | solves two sum | returns the indices of two list elements whose sum is the target | looks for a pair in an array that adds up to a given value | takes numbers and a target and finds the positions of two that make it | determines which two entries of a list together give the target sum | finds the indexes of a pair of numbers with a certain sum
def two_sum(numbers, target):
    seen = {}
    for index, number in enumerate(numbers):
        if target - number in seen:
            return [seen[target - number], index]
        seen[number] = index
    return None


# returns the largest sum of neighbouring elements of a list | finds the maximum subarray sum with Kadane's algorithm | gives the biggest sum that a contiguous part of an array can have | implements Kadane's algorithm for the best subarray sum | computes the maximum sum of any contiguous sublist | takes a list of numbers and returns the greatest total of consecutive elements | solves the maximum subarray problem
def max_subarray(numbers):
    best = current = numbers[0]
    for number in numbers[1:]:
        current = max(number, current + number)
        best = max(best, current)
    return best


# returns fizz, buzz or fizzbuzz for a number | implements FizzBuzz for one number | returns the right FizzBuzz answer for a single n | takes one number and returns Fizz, Buzz, FizzBuzz or the number as text | gives Fizz for multiples of 3, Buzz for 5 and FizzBuzz for both | says what to call out for one given number in the FizzBuzz game | translates a single integer into its FizzBuzz word
def fizzbuzz(n):
    if n % 15 == 0:
        return "FizzBuzz"
    if n % 3 == 0:
        return "Fizz"
    if n % 5 == 0:
        return "Buzz"
    return str(n)


# prints the numbers from 1 to n with fizz and buzz | prints FizzBuzz up to n | plays FizzBuzz | shows the FizzBuzz sequence from 1 through n on the screen | loops from 1 to n and prints Fizz, Buzz, FizzBuzz or the number | prints each number up to n, replacing multiples of 3 and 5 by words | prints one FizzBuzz line for every number up to a limit | writes out the whole FizzBuzz game up to n
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


# computes the area of a circle | returns the area of a circle with a given radius | takes the radius and gives back the area of the circle | gives pi times the radius squared | finds the area enclosed by a circle of radius r | works out the surface of a circle | calculates a circle's area from its radius
def circle_area(radius):
    return math.pi * radius**2


# computes the circumference of a circle | returns the perimeter of a circle | takes the radius and calculates the length around the circle | gives two times pi times the radius | finds the distance around a circle of radius r | works out how long the edge of a circle is | calculates a circle's circumference from its radius
def circumference(radius):
    return 2 * math.pi * radius


# computes the area of a rectangle | returns width times height | takes width and height and calculates the area of the rectangle | finds how much area a rectangle with two given sides covers | works out the surface of a rectangle with given side lengths | calculates a rectangle's area | multiplies the width of a rectangle by its height
def rectangle_area(width, height):
    return width * height


# computes the area of a triangle | returns the area of a triangle from its base and height | takes base and height and calculates the area of the triangle | gives half of base times height | finds how much area a triangle with given base and height covers | works out the surface of a triangle | calculates a triangle's area
def triangle_area(base, height):
    return base * height / 2


# computes the distance between two points | returns the Euclidean distance of two points | takes the coordinates x1, y1, x2 and y2 and returns the distance | finds how far apart two points in the plane are | calculates the straight line distance from one point to another | works out the length of the line between two points | determines the Euclidean distance between (x1, y1) and (x2, y2)
def distance(x1, y1, x2, y2):
    return math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)


# computes the length of the hypotenuse | applies the Pythagorean theorem | finds the longest side of a right triangle from the two other sides | takes the two legs of a right triangle and returns the hypotenuse | uses Pythagoras on two legs to get the longest side | gives the square root of a squared plus b squared | works out the hypotenuse of a right triangle with legs a and b
def hypotenuse(a, b):
    return math.sqrt(a**2 + b**2)


# computes compound interest | returns an amount with interest after some years | calculates what an amount grows to at a yearly interest rate | takes amount, rate and years and returns the final balance | finds the future value of money invested with compound interest | works out how much savings are worth after years of compounding | gives the amount after interest has been added every year
def compound_interest(amount, rate, years):
    return amount * (1 + rate) ** years


# computes a percentage | returns how many percent a part is of a whole | takes a part and a whole and gives the percentage | finds what percent one number is of another | divides the part by the whole and multiplies by 100 | works out the share of a part in the whole in percent | expresses one value as a percentage of a total
def percentage(part, whole):
    return part / whole * 100


# adds the numbers from 1 to n | returns the sum of the first n numbers | calculates the sum of all the integers from 1 up to n | takes n and returns 1 + 2 + 3 + ... + n | gives the total of the whole numbers up to n | works out the nth triangular number | uses the formula n(n+1)/2 to sum the first n natural numbers
def sum_to(n):
    return n * (n + 1) // 2


# counts down from n to 1 | returns the numbers from n down to 1 | produces a list that runs backwards from n to 1 | takes n and gives a list of the numbers descending to one | lists the integers n, n-1 and so on until 1 | makes a countdown starting at a given number | builds a list of whole numbers in falling order, from n through 1
def countdown(n):
    return list(range(n, 0, -1))


# returns the larger of two numbers | finds the maximum of a and b | takes two numbers and gives back the bigger one | compares a and b and returns whichever is greater | determines the maximum of two values without using max | picks the higher of two given numbers | decides which of two arguments is the larger and returns it
def larger(a, b):
    return a if a > b else b


# returns the largest of three numbers | finds the maximum of three values | takes three numbers and gives back the biggest one | compares a, b and c and returns the greatest | determines the highest of three given values | picks the largest out of exactly three arguments | returns whichever of three numbers is the maximum
def max_of_three(a, b, c):
    return max(a, b, c)


# returns the absolute value of a number | makes a number positive | takes a number and gives it back without its minus sign | finds how far a number is from zero | turns negative numbers into positive ones and leaves the rest unchanged | calculates the magnitude of a number | determines the absolute value without using abs
def absolute(n):
    return -n if n < 0 else n


# limits a number to a range | clamps a value between a minimum and a maximum | keeps a value between a lower and an upper bound | returns low if the value is too small and high if too big | takes value, low and high and forces the value into that range | restricts a number to lie within two given limits | cuts a number off at a minimum and a maximum
def clamp(value, low, high):
    return max(low, min(value, high))


# swaps two values | returns two values in exchanged order | takes a and b and returns b and a | exchanges two variables and gives both back | gives back its two arguments the other way round | switches the order of a pair of values | interchanges two given values
def swap(a, b):
    return b, a


# divides two numbers safely | returns a divided by b, or None if b is zero | performs a division without failing when the divisor is zero | gives the quotient of two numbers, or None when dividing by zero | avoids the division by zero error by returning None | takes a and b and divides them only if b is not zero | calculates a / b and handles a zero denominator
def safe_divide(a, b):
    if b == 0:
        return None
    return a / b


# transposes a matrix | swaps the rows and columns of a matrix | turns the rows of a matrix into columns | takes a list of rows and returns its transpose | flips a matrix over its diagonal | gives back a two-dimensional list with rows and columns exchanged | makes the columns of a 2D array its rows
def transpose(matrix):
    return [list(row) for row in zip(*matrix)]


# multiplies two matrices | returns the product of two matrices | computes the matrix product of a and b | takes two 2D lists and performs matrix multiplication | multiplies one matrix by another | combines rows of one matrix with columns of another to get their product | calculates the product matrix of two nested lists
def matrix_multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


# makes the multiplication table of a number | returns the first ten multiples of n | lists n times 1 through n times 10 | takes a number and gives its times table up to ten | produces a list of the multiples of n from n to 10n | builds the times table for a given integer as a list | multiplies n by each number from one to ten
def multiplication_table(n):
    return [n * i for i in range(1, 11)]


# returns all permutations of a list | lists every order of the elements of a list | generates all possible arrangements of the items in a list | takes a list and gives every way to order its elements | finds all the permutations of an array with recursion | produces each possible ordering of a sequence | collects all the different ways the elements of a list can be arranged
def permutations(items):
    if len(items) <= 1:
        return [items]
    result = []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1 :]):
            result.append([item] + rest)
    return result


# returns all subsets of a list | makes the power set of a list | generates every possible subset of an array | takes a list and gives all combinations of its elements, of any size | lists all the selections from a list, including the empty one | finds the power set of a given collection | produces every sublist you get by keeping or dropping each element
def subsets(items):
    result = [[]]
    for item in items:
        result += [subset + [item] for subset in result]
    return result


# reads a file and returns its text | opens a text file and reads it | returns the whole content of a text file as one string | takes a path and gives back everything written in that file | loads a text file into a single string | gets the complete contents of a file | opens the file at a given path and returns all its text
def read_file(path):
    with open(path) as file:
        return file.read()


# returns the lines of a file as a list | reads a file line by line | takes a path and gives back a list with each line of the file | loads a text file into a list of lines | returns the lines of a text file without their newline characters | opens a file and collects its lines in a list | splits the content of a file into separate lines
def read_lines(path):
    with open(path) as file:
        return [line.rstrip("\n") for line in file]


# writes a text to a file | saves a string in a file | takes a path and a text and stores the text there | creates a file with the given content | puts a string into a text file, overwriting what was there | opens a file for writing and writes a text into it | stores some text on disk under a given path
def write_file(path, text):
    with open(path, "w") as file:
        file.write(text)


# counts the lines of a file | returns the number of lines in a file | tells how many lines a text file has | takes a path and gives back the line count of that file | opens a file and counts its rows of text | finds out how many lines long a file is | determines the total number of lines in a given text file
def count_lines(path):
    with open(path) as file:
        return sum(1 for _ in file)


# reads a JSON file | loads data from a JSON file | opens a JSON file and returns the parsed data | takes a path and returns the contents of that JSON file as Python objects | parses a file that is in JSON format | gets a dictionary or list out of a .json file | imports the data stored as JSON in a file
def read_json(path):
    with open(path) as file:
        return json.load(file)


# lists the files of a folder | returns the names of all files in a directory | takes a folder and gives back the names of the files in it | collects all file names in a directory, leaving out subfolders | finds which files are directly inside a given folder | tells what files a directory contains as a list of names | returns everything in a folder that is a file and not a directory
def list_files(folder):
    return [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))]


# returns a random number between two numbers | picks a random integer | takes a lower and an upper bound and returns a random whole number | generates a random integer between low and high, both included | chooses an integer by chance from a given range | draws a random number that is at least low and at most high | produces a random whole number within two limits
def random_number(low, high):
    return random.randint(low, high)


# rolls a die | returns a random number from 1 to 6 | simulates throwing a six-sided die | gives a random result of a dice roll | throws one dice and returns the number of points | picks a whole number between one and six by chance | takes no arguments and imitates the roll of an ordinary die
def roll_die():
    return random.randint(1, 6)


# makes a random password | generates a password of n random characters | creates a password of the given length from random letters and digits | takes a length and returns a random password that long | puts together a secret word out of randomly chosen characters | produces a random string of letters and numbers for use as a password | invents a new password with a certain number of characters
def random_password(length):
    characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(random.choice(characters) for _ in range(length))


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
