"""Lists of numbers: their sums, means, extremes, the even and the odd among them."""


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
