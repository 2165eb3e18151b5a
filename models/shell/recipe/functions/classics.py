"""Primes, factorials, Fibonacci numbers, palindromes: what beginners write first."""


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
