"""Divisors, digits and powers of integers; units, years and numerals converted."""

import math


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
